-- What became of mails and posts so many days ago ($1).
with gone as (
    delete from delivery
    where (tenant_id, id) in (
        select tenant_id, id from delivery
        where created_at <= now() - make_interval(days => $1::integer)
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
