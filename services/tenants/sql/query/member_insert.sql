insert into membership (tenant_id, account_id, role, version, created_at, updated_at)
values (:tenant_id, :account_id, :role, :version, :created_at, :updated_at)
