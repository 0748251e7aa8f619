-- Sessions that are over, by their age or ($1) for minutes without use.
with gone as (
    delete from session
    where (account_id, id) in (
        select account_id, id from session
        where expires_at <= now() or last_used_at <= now() - make_interval(mins => $1::integer)
        limit 1000
        for update skip locked)
    returning token_hash
), way as (
    delete from session_directory where token_hash in (select token_hash from gone)
)
select count(*) from gone
