-- As account_get, with whether the account was signed in to from that place before.
select account_id, version, email, email_verified, display_name, locale, created_at,
    updated_at, password_hash,
    exists (select 1 from place p
        where p.account_id = :account_id and p.hash = :place) as known_place
from account
where account_id = :account_id
