-- Addresses that may be tried again, of one piece of the table ($1, $2).
with gone as (
    delete from suppression
    where ctid = any (array(
        select ctid from suppression
        where ctid >= $1::tid and ctid < $2::tid and until <= now()
        for update skip locked))
    returning 1
)
select count(*) from gone
