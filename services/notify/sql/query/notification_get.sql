-- expect: one NOT_FOUND
select id, nullif(about_tenant, '00000000-0000-0000-0000-000000000000') as tenant_id, kind,
    title, body, link, event_id, created_at, read_at
from notification
where account_id = :account_id and id = :notification_id
