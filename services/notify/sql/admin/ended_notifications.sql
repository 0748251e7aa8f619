-- What people were told so many days ago ($1), read or not.
with gone as (
    delete from notification
    where (account_id, id) in (
        select account_id, id from notification
        where created_at <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
