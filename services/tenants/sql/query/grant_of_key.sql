-- A key works while its tenant is active.
-- expect: one NOT_FOUND "There is no such tenant."
select tenant_id, status
from tenant
where tenant_id = :tenant_id and status = 'active'
