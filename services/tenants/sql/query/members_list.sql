select account_id, version, role, created_at, updated_at
from membership
where tenant_id = :tenant_id and account_id > :after
order by account_id
limit :limit
