-- The newest sessions of the account stay, as many as :keep; the oldest end. Gives
-- one of those that ended, if any did.
with gone as (
    delete from session s
    where s.account_id = :account_id and s.id in (
        select id from session
        where account_id = :account_id and id <= (
            select id from session
            where account_id = :account_id
            order by id desc
            offset :keep::bigint limit 1)
        order by id
        limit 100
        for update skip locked)
    returning s.id, s.token_hash
), way as (
    delete from session_directory d
    where d.token_hash in (select token_hash from gone)
)
select id as session_id from gone limit 1
