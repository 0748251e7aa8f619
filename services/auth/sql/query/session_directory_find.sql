-- expect: one NOT_FOUND "There is no such session."
select account_id, session_id
from session_directory
where token_hash = :token_hash
