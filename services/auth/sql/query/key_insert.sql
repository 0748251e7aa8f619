insert into api_key (tenant_id, id, name, permissions, created_by, key_hash, created_at,
    expires_at)
values (:tenant_id, :id, :name, :permissions, :created_by, :key_hash, :created_at,
    :expires_at)
