-- A new password ends the links that would set another.
update letter
set used_at = :now
where account_id = :account_id and purpose = 'reset' and used_at is null
