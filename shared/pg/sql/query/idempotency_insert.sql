-- A plain insert: a key that already ran is a unique violation, and one read decides.
-- A record whose time is over gives way, whether or not maintain has come by.
with over as (
    delete from idempotency
    where scope = :scope::uuid and method = :method::text and key = :key::text
        and expires_at <= now()
    returning 1
)
insert into idempotency (scope, method, key, tenant_id, request, reply, sealed,
    created_at, expires_at)
select :scope::uuid, :method::text, :key::text,
    coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'),
    :request::bytea, :reply::bytea, :sealed::boolean, :created_at::timestamptz,
    :expires_at::timestamptz
from (select count(*) from over) as made_room
