-- Jobs that ended two weeks ago, of one piece of the table ($1, $2).
with gone as (
    delete from job
    where ctid >= $1::tid and ctid < $2::tid
        and state in ('dead', 'cancelled') and ended_at < now() - interval '14 days'
    returning 1
)
select count(*) from gone
