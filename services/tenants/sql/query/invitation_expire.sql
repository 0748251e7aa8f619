-- An invitation whose time is over makes room for a new one to that address.
update invitation
set status = 'expired', version = version + 1, updated_at = :now
where tenant_id = :tenant_id and email = :email and status = 'pending' and expires_at <= :now
