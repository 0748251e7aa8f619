-- expect: one NOT_FOUND "There is no such open invitation."
select id, version, email, role, status, invited_by, expires_at, created_at, updated_at
from invitation
where tenant_id = :tenant_id and id = :invitation_id and status = 'pending'
