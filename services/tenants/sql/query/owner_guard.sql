-- Under the tenant's lock: another owner stays.
-- expect: one CONFLICT
select account_id
from membership
where tenant_id = :tenant_id and role = 'owner' and account_id <> :account_id
limit 1
