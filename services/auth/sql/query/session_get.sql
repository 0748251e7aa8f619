-- expect: one NOT_FOUND "There is no such session."
select s.account_id, s.id as session_id, s.last_used_at, s.expires_at, a.email_verified
from session s
join account a on a.account_id = s.account_id
where s.account_id = :account_id and s.id = :session_id and s.token_hash = :token_hash
