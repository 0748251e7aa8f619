-- Reserves bytes of an organisation's storage, where there is room for them: the row is
-- locked, so whoever comes at the same time sees them.
-- expect: one QUOTA "There is no room for as much."
insert into storage (tenant_id, used, reserved)
select :tenant_id::uuid, 0, :bytes::bigint where :bytes::bigint <= :allowed::bigint
on conflict (tenant_id) do update set reserved = storage.reserved + :bytes::bigint
where storage.used::numeric + storage.reserved + :bytes::bigint <= :allowed::bigint
