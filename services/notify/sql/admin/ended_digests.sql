-- What waited for a digest that never came, so many days ago ($1).
with gone as (
    delete from digest_entry
    where (account_id, id) in (
        select account_id, id from digest_entry
        where due_at <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
