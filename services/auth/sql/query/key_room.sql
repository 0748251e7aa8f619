-- A tenant has a bounded number of keys.
-- expect: one QUOTA "This organisation has as many API keys as it may; revoke one first."
select count(*) as keys
from api_key
where tenant_id = :tenant_id
having count(*) < :allowed
