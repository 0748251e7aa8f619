insert into tenant (tenant_id, slug, display_name, status, version, created_at, updated_at)
values (:id, :slug, :display_name, :status, :version, :created_at, :updated_at)
