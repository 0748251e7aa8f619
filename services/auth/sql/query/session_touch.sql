-- Skips a row that somebody else holds: then it is in use anyway.
update session
set last_used_at = :now
where account_id = :account_id and id = (
    select id from session
    where account_id = :account_id and id = :session_id and last_used_at <= :before
    for update skip locked)
