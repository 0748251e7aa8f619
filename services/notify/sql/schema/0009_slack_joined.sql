-- Slack hears of a member who came or went by name, in words for others; before, it was
-- shown what the person is told. What audience_field names is whom it is about.
update kind_directory set slack = false
where kind in ('member_added', 'member_removed', 'invitation_accepted');
insert into kind_directory (kind, event_type, when_field, when_value, audience,
    audience_field, audience_role, locale_field, seal, link, email, inbox, slack, mandatory,
    digest)
values
    ('member_joined', 'tenants.member.added', null, null, 'nobody',
        'member.account_id', null, null, null,
        '{{product.url}}/tenants/{{tenant.id}}/members', 'none', 'none', true, false, false),
    ('member_left', 'tenants.member.removed', null, null, 'nobody',
        'member.account_id', null, null, null,
        '{{product.url}}/tenants/{{tenant.id}}/members', 'none', 'none', true, false, false);
