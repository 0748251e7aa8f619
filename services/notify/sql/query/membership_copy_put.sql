-- What is older than the copy changes nothing.
insert into membership_copy (tenant_id, account_id, role, version)
values (:tenant_id, :account_id, :role, :version)
on conflict (tenant_id, account_id) do update
set role = excluded.role, version = excluded.version
where membership_copy.version < excluded.version
