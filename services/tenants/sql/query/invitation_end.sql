-- Accepted or revoked: the token's hash stays, its status makes it worthless.
-- expect: one CONFLICT "This invitation has just been accepted, revoked or sent again."
update invitation
set status = :status, version = version + 1, updated_at = :now
where tenant_id = :tenant_id and id = :invitation_id and status = 'pending'
  and version = :former_version
  and (:status <> 'accepted' or invitation_stands(invitation))
