-- expect: one NOT_FOUND "There is no such member."
select account_id, version, role, created_at, updated_at
from membership
where tenant_id = :tenant_id and account_id = :account_id
