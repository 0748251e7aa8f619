-- Addresses that may be tried again.
with gone as (
    delete from suppression
    where email in (
        select email from suppression
        where until <= now()
        limit 1000
        for update skip locked)
    returning 1
)
select count(*) from gone
