-- Sessions that are over, by their age or ($3) for minutes without use, of one piece of
-- the table ($1, $2).
with gone as (
    delete from session
    where ctid = any (array(
        select ctid from session
        where ctid >= $1::tid and ctid < $2::tid
            and (expires_at <= now() or last_used_at <= now() - make_interval(mins => $3::integer))
        for update skip locked))
    returning token_hash
), way as (
    delete from session_directory where token_hash in (select token_hash from gone)
)
select count(*) from gone
