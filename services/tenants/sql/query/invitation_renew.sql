-- A new token; the former link is void. Whoever sends it again is who invites.
-- expect: one CONFLICT "This invitation has just been accepted, revoked or sent again."
update invitation
set token_hash = :token_hash, expires_at = :expires_at, version = :version,
    updated_at = :updated_at, invited_by = :invited_by
where tenant_id = :tenant_id and id = :id and status = 'pending' and version = :former_version
