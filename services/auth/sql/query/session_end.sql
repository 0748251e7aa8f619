-- As session_delete, where it does not matter whether it had ended already.
delete from session where account_id = :account_id and id = :session_id
