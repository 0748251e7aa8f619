delete from session_directory where account_id = :account_id and session_id = :session_id
