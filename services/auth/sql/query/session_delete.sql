-- expect: one NOT_FOUND "There is no such session."
delete from session where account_id = :account_id and id = :session_id
