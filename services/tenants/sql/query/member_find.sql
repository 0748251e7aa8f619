-- The same where it may be missing.
select account_id, version, role, created_at, updated_at
from membership
where tenant_id = :tenant_id and account_id = :account_id
