-- A new password ends the links that would set another, a proven address those that
-- would prove it (and might set a password with it).
update letter
set used_at = :now
where account_id = :account_id and purpose = :purpose::text and used_at is null
