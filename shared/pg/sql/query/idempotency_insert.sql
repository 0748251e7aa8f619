-- A plain insert: a key that already ran is a unique violation, and one read decides.
insert into idempotency (scope, method, key, tenant_id, request, reply, sealed,
    created_at, expires_at)
values (:scope, :method, :key,
    coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'),
    :request, :reply, :sealed, :created_at, :expires_at)
