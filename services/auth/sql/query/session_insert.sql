insert into session (account_id, id, token_hash, address, user_agent, created_at,
    last_used_at, expires_at)
values (:account_id, :session_id, :token_hash, :address, :user_agent, :now, :now,
    :session_expires_at)
