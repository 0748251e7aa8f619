-- For the operator: what this service knows of an organisation, as far as there is any.
select fact.name, fact.value
from (values
    (1, 'members_heard_of', (select nullif(count(*), 0)::text from membership_copy m
        where m.tenant_id = :tenant_id)),
    (2, 'own_templates', (select nullif(count(distinct (t.kind, t.locale)), 0)::text
        from template t where t.tenant_id = :tenant_id and not t.gone)),
    (3, 'sender_name', (select s.sender_name from settings s where s.tenant_id = :tenant_id)),
    (4, 'slack', (select 'set' from settings s
        where s.tenant_id = :tenant_id and s.slack_url is not null)),
    (5, 'webhook_endpoints', (select nullif(count(*), 0)::text from webhook_endpoint e
        where e.tenant_id = :tenant_id)),
    (6, 'webhook_endpoints_disabled', (select nullif(count(*), 0)::text from webhook_endpoint e
        where e.tenant_id = :tenant_id and e.status = 'disabled')),
    (7, 'audit_entries', (select h.seq::text from audit_head h where h.tenant_id = :tenant_id)),
    (8, 'product_events', (select 'consented' from settings s
        where s.tenant_id = :tenant_id and s.product_events)),
    (9, 'product_events_waiting', (select nullif(count(*), 0)::text from product_event e
        where e.tenant_id = :tenant_id))
) as fact(place, name, value)
where fact.value is not null
order by fact.place
