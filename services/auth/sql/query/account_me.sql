-- The caller's account, with the hash of the token they came with.
-- expect: one NOT_FOUND "There is no such account."
select a.account_id, a.version, a.email, a.email_verified, a.display_name, a.locale,
    a.created_at, a.updated_at, s.token_hash
from account a
left join session s on s.account_id = a.account_id and s.id = :session_id
where a.account_id = :account_id
