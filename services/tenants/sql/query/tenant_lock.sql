-- Changes of one tenant's members and invitations go one at a time.
-- expect: one NOT_FOUND "There is no such tenant."
select tenant_id
from tenant
where tenant_id = :tenant_id and status = 'active'
for no key update
