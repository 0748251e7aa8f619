-- Changes of one tenant, of its members and invitations go one at a time. One that is
-- deleting is there only for what ends or restores it.
-- expect: one NOT_FOUND "There is no such tenant."
select tenant_id
from tenant
where tenant_id = :tenant_id and (status = 'active' or :deleting::bool)
for no key update
