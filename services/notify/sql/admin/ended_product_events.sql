-- What product analytics did not take in so many days ($1).
with gone as (
    delete from product_event
    where (tenant_id, id) in (
        select tenant_id, id from product_event
        where added_at <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
