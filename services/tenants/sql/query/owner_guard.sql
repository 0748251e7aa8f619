-- Under the tenant's lock: another owner stays.
-- expect: one CONFLICT "An organisation must have at least one owner; make another member an owner first."
select account_id
from membership
where tenant_id = :tenant_id and role = 'owner' and account_id <> :account_id
limit 1
