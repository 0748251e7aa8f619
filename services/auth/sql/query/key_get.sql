-- expect: one NOT_FOUND "There is no such API key."
select tenant_id, created_by as account_id, key_hash, permissions, expires_at,
    last_used_at
from api_key
where tenant_id = :tenant_id and id = :key_id
