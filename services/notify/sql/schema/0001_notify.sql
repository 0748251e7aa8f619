-- What notify knows of people and organisations (copies, kept by events), the
-- catalogue of kinds, templates, preferences, the inbox, and what became of mails.

-- A person as auth tells of him. Only jobs and subscriptions read it.
create table account_copy (
    account_id   uuid not null,
    tenant_id    uuid not null default '00000000-0000-0000-0000-000000000000',
    email        text not null,
    display_name text not null,
    locale       text,
    verified     boolean not null,
    version      bigint not null,
    constraint account_copy_pkey primary key (account_id),
    constraint account_copy_tenant_check
        check (tenant_id = '00000000-0000-0000-0000-000000000000')
);
create index account_copy_by_email on account_copy (email);
comment on table account_copy is 'class: system; app: none';

-- An organisation as tenants tells of it.
create table tenant_copy (
    tenant_id    uuid not null,
    slug         text not null,
    display_name text not null,
    status       text not null,
    version      bigint not null,
    constraint tenant_copy_pkey primary key (tenant_id)
);
comment on table tenant_copy is 'class: tenant; app: select';

-- Who is in an organisation, and as what.
create table membership_copy (
    tenant_id  uuid not null,
    account_id uuid not null,
    role       text not null,
    version    bigint not null,
    constraint membership_copy_pkey primary key (tenant_id, account_id),
    constraint membership_copy_role_check check (role in ('viewer', 'member', 'admin', 'owner'))
);
comment on table membership_copy is 'class: tenant; app: select';

-- The catalogue: which event makes which message, for whom, by which channels. A new
-- event type needs a row here and a template. A field is a path into the event as the
-- API shows it: "member.account_id".
--   when_field, when_value   only events whose field has that value
--   audience                 person: the account that audience_field names
--                            address: the address that audience_field names
--                            members: those of the tenant whose role is at least
--                            audience_role, the one who did it excepted
--                            nobody: Slack alone
--   locale_field             the language of an address; else as its account has it
--   seal                     the purpose that sealed_token is sealed for: {{token}}
--   link                     where the message's button leads, a template
--   email, inbox             none: never; off: who asks for it; on: who did not refuse
--   mandatory                cannot be turned off, comes in quiet hours too, bears no
--                            unsubscribe link
--   digest                   may be gathered into a digest
create table kind_directory (
    kind           text not null,
    event_type     text not null,
    when_field     text,
    when_value     text,
    audience       text not null,
    audience_field text,
    audience_role  text,
    locale_field   text,
    seal           text,
    link           text,
    email          text not null,
    inbox          text not null,
    slack          boolean not null,
    mandatory      boolean not null,
    digest         boolean not null,
    constraint kind_directory_pkey primary key (kind, event_type),
    constraint kind_directory_audience_check check (
        case audience when 'person' then audience_field is not null
        when 'address' then audience_field is not null
        when 'members' then audience_role in ('viewer', 'member', 'admin', 'owner')
        else audience = 'nobody' end),
    constraint kind_directory_channels_check
        check (email in ('none', 'off', 'on') and inbox in ('none', 'off', 'on')),
    constraint kind_directory_mandatory_check check (not (mandatory and digest))
);
comment on table kind_directory is 'class: directory; app: select';

insert into kind_directory (kind, event_type, when_field, when_value, audience,
    audience_field, audience_role, locale_field, seal, link, email, inbox, slack, mandatory,
    digest)
values
    ('account_verify', 'auth.letter.requested', 'purpose', 'verify', 'address',
        'account.email', null, 'account.locale', 'auth letter',
        '{{product.url}}/auth/email/verify#token={{token}}', 'on', 'none', false, true, false),
    ('password_reset', 'auth.letter.requested', 'purpose', 'reset', 'address',
        'account.email', null, 'account.locale', 'auth letter',
        '{{product.url}}/auth/password/reset#token={{token}}', 'on', 'none', false, true, false),
    ('password_changed', 'auth.password.changed', null, null, 'person',
        'account.id', null, 'account.locale', null,
        '{{product.url}}/auth/password/forgot', 'on', 'on', false, true, false),
    ('session_created', 'auth.session.created', null, null, 'person',
        'account.id', null, 'account.locale', null,
        '{{product.url}}/me/sessions', 'off', 'on', false, false, false),
    ('api_key_created', 'auth.api_key.created', null, null, 'members',
        null, 'admin', null, null,
        '{{product.url}}/tenants/{{tenant.id}}/api-keys', 'on', 'on', true, false, true),
    ('api_key_revoked', 'auth.api_key.revoked', null, null, 'members',
        null, 'admin', null, null,
        '{{product.url}}/tenants/{{tenant.id}}/api-keys', 'off', 'on', true, false, true),
    ('tenant_created', 'tenants.tenant.created', null, null, 'person',
        'by', null, null, null,
        '{{product.url}}/tenants/{{tenant.id}}', 'on', 'on', false, false, false),
    ('tenant_deleting', 'tenants.tenant.deleted', null, null, 'members',
        null, 'owner', null, null,
        '{{product.url}}/tenants/{{tenant.id}}', 'on', 'on', true, true, false),
    ('tenant_restored', 'tenants.tenant.restored', null, null, 'members',
        null, 'owner', null, null,
        '{{product.url}}/tenants/{{tenant.id}}', 'on', 'on', true, true, false),
    ('member_added', 'tenants.member.added', null, null, 'person',
        'member.account_id', null, null, null,
        '{{product.url}}/tenants/{{tenant.id}}', 'on', 'on', true, false, false),
    ('member_updated', 'tenants.member.updated', null, null, 'person',
        'member.account_id', null, null, null,
        '{{product.url}}/tenants/{{tenant.id}}', 'on', 'on', false, false, true),
    ('member_removed', 'tenants.member.removed', null, null, 'person',
        'member.account_id', null, null, null,
        null, 'on', 'on', true, false, false),
    ('invitation', 'tenants.invitation.created', null, null, 'address',
        'invitation.email', null, null, 'tenants invitation',
        '{{product.url}}/invitations/accept#token={{token}}', 'on', 'none', false, true, false),
    ('invitation', 'tenants.invitation.resent', null, null, 'address',
        'invitation.email', null, null, 'tenants invitation',
        '{{product.url}}/invitations/accept#token={{token}}', 'on', 'none', false, true, false),
    ('invitation_accepted', 'tenants.invitation.accepted', null, null, 'members',
        null, 'admin', null, null,
        '{{product.url}}/tenants/{{tenant.id}}/members', 'off', 'on', true, false, true),
    ('webhook_disabled', 'notify.webhook_endpoint.disabled', null, null, 'members',
        null, 'owner', null, null,
        '{{product.url}}/tenants/{{tenant.id}}/webhooks', 'on', 'on', true, true, false),
    -- What a person is sent gathered; no event makes one.
    ('digest', 'notify.digest.due', null, null, 'person', 'account_id', null, null, null,
        '{{product.url}}/notifications', 'on', 'none', false, false, false);

-- An organisation's own words, all versions; the highest one counts unless it is gone.
create table template (
    tenant_id  uuid not null,
    kind       text not null,
    locale     text not null,
    version    bigint not null,
    gone       boolean not null,
    subject    text not null,
    summary    text not null,
    action     text not null,
    text       text not null,
    html       text not null,
    updated_at timestamptz not null,
    -- raises template_pkey: PRECONDITION "Somebody changed it at the same time."
    constraint template_pkey primary key (tenant_id, kind, locale, version)
);
comment on table template is 'class: tenant; app: select, insert, delete';

-- How an organisation's notifications go out.
create table settings (
    tenant_id   uuid not null,
    version     bigint not null,
    sender_name text,
    reply_to    text,
    locale      text,
    slack_url   bytea, -- sealed
    updated_at  timestamptz not null,
    -- raises settings_pkey: PRECONDITION "Somebody changed it at the same time."
    constraint settings_pkey primary key (tenant_id)
);
comment on table settings is 'class: tenant; app: select, insert, update';

-- What a person wants to be told.
create table preference (
    account_id  uuid not null,
    version     bigint not null,
    digest      text not null,
    time_zone   text not null,
    quiet_from_minute  integer,
    quiet_until_minute integer,
    updated_at  timestamptz not null,
    -- raises preference_pkey: PRECONDITION "Somebody changed it at the same time."
    constraint preference_pkey primary key (account_id),
    constraint preference_digest_check check (digest in ('immediate', 'hourly', 'daily')),
    constraint preference_quiet_check
        check ((quiet_from_minute is null) = (quiet_until_minute is null))
);
comment on table preference is 'class: person';

create table preference_choice (
    account_id uuid not null,
    kind       text not null,
    channel    text not null,
    enabled    boolean not null,
    constraint preference_choice_pkey primary key (account_id, kind, channel),
    constraint preference_choice_channel_check check (channel in ('email', 'inbox'))
);
comment on table preference_choice is 'class: person';

-- The inbox. about_tenant is nil where it is about the account.
create table notification (
    account_id uuid not null,
    id         uuid not null,
    about_tenant uuid not null,
    kind       text not null,
    title      text not null,
    body       text not null,
    link       text,
    event_id   uuid not null,
    created_at timestamptz not null,
    read_at    timestamptz,
    constraint notification_pkey primary key (account_id, id),
    -- A fact is told to a person once a kind.
    constraint notification_once_key unique (account_id, event_id, kind)
);
create index notification_unread on notification (account_id, id) where read_at is null;
comment on table notification is 'class: person';

-- Mails and Slack posts, and what became of them. Under the tenant, or nil.
create table delivery (
    tenant_id  uuid not null,
    id         uuid not null,
    kind       text not null,
    channel    text not null,
    account_id uuid,
    address    text not null,
    event_id   uuid not null,
    status     text not null,
    attempts   integer not null,
    detail     text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint delivery_pkey primary key (tenant_id, id),
    constraint delivery_status_check
        check (status in ('waiting', 'sent', 'refused', 'suppressed', 'failed'))
);
create index delivery_by_age on delivery (created_at);
comment on table delivery is 'class: system; app: none';

-- What waits to be gathered into a digest that is due then.
create table digest_entry (
    tenant_id  uuid not null,
    account_id uuid not null,
    due_at     timestamptz not null,
    id         uuid not null,
    kind       text not null,
    title      text not null,
    body       text not null,
    link       text,
    created_at timestamptz not null,
    constraint digest_entry_pkey primary key (account_id, id)
);
create index digest_entry_due on digest_entry (due_at, account_id);
comment on table digest_entry is 'class: system; app: none';

-- Addresses that a server refused for good; no mail goes there until then.
create table suppression (
    tenant_id  uuid not null default '00000000-0000-0000-0000-000000000000',
    email      text not null,
    reason     text not null,
    created_at timestamptz not null,
    until      timestamptz not null,
    constraint suppression_pkey primary key (email)
);
comment on table suppression is 'class: system; app: none';
