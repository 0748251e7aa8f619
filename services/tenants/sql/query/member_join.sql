-- A caller who became a member at the same moment has to ask again, and keeps their
-- role then.
-- expect: one CONFLICT
insert into membership (tenant_id, account_id, role, version, created_at, updated_at)
values (:tenant_id, :account_id, :role, :version, :created_at, :updated_at)
on conflict (tenant_id, account_id) do nothing
