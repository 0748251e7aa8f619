insert into session_directory (token_hash, account_id, session_id)
values (:token_hash, :account_id, :session_id)
