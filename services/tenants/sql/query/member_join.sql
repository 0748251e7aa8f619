-- Who is a member already keeps his role.
insert into membership (tenant_id, account_id, role, version, created_at, updated_at)
values (:tenant_id, :account_id, :role, 1, :now, :now)
on conflict (tenant_id, account_id) do nothing
