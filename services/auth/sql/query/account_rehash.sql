-- The same password under other costs. Not a change that anybody sees.
-- expect: one UNAUTHENTICATED "The address or the password is wrong."
update account
set password_hash = :password_hash
where account_id = :account_id and password_hash = :former_hash
