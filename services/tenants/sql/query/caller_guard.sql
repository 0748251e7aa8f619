-- Under the tenant's lock: the caller's role is still what their grant said.
-- expect: one DENIED "Your role in this organisation has just changed."
select account_id
from membership
where tenant_id = :tenant_id and account_id = :caller_id and role = :caller_role
