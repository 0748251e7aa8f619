-- What people were told so many days ago ($3), read or not, of one piece of the table
-- ($1, $2).
with gone as (
    delete from notification
    where ctid = any (array(
        select ctid from notification
        where ctid >= $1::tid and ctid < $2::tid
            and created_at <= now() - make_interval(days => $3::integer)
        for update skip locked))
    returning 1
)
select count(*) from gone
