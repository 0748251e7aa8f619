-- No row where the scope names no account: the unknown cost what the known do.
select account_id, version, email, email_verified, display_name, locale, created_at,
    updated_at, password_hash
from account
where account_id = :account_id
