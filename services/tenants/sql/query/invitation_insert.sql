insert into invitation (tenant_id, id, email, role, status, invited_by, token_hash,
    expires_at, version, created_at, updated_at)
values (:tenant_id, :id, :email, :role, :status, :invited_by, :token_hash,
    :expires_at, :version, :created_at, :updated_at)
