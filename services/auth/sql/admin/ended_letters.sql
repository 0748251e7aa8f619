-- Tokens of e-mails that were used or have expired, of one piece of the table ($1,
-- $2).
with gone as (
    delete from letter
    where ctid = any (array(
        select ctid from letter
        where ctid >= $1::tid and ctid < $2::tid
            and (used_at is not null or expires_at <= now())
        for update skip locked))
    returning 1
)
select count(*) from gone
