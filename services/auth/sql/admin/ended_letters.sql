-- Tokens of letters that were used or whose time is over.
with gone as (
    delete from letter
    where (account_id, id) in (
        select account_id, id from letter
        where used_at is not null or expires_at <= now()
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
