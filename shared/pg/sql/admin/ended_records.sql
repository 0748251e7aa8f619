-- Idempotency records whose time is over, of one piece of the table ($1, $2).
with gone as (
    delete from idempotency
    where ctid >= $1::tid and ctid < $2::tid and expires_at < now()
    returning 1
)
select count(*) from gone
