insert into api_key (tenant_id, id, name, permissions, created_by, parent_id, key_hash,
    created_at, expires_at)
values (:tenant_id, :id, :name, :permissions, :created_by, :made_by_key, :key_hash,
    :created_at, :expires_at)
