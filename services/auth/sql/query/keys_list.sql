select id, name, permissions, created_by, created_at, expires_at, last_used_at
from api_key
where tenant_id = :tenant_id and id > :after
order by id
limit :limit
