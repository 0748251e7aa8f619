-- By the link's token, if who invited may still do so; whether it is still good is asked
-- again when accepting.
select id, version, email, role, status, invited_by, expires_at, created_at, updated_at
from invitation
where tenant_id = :tenant_id and id = :invitation_id and token_hash = :token_hash
  and invitation_stands(invitation)
