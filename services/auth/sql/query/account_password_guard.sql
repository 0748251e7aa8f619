-- Holds the password that was checked until the new session is committed, so that a
-- change of the password ends it too.
-- expect: one UNAUTHENTICATED "The address or the password is wrong."
select account_id
from account
where account_id = :account_id and password_hash = :former_hash
for share
