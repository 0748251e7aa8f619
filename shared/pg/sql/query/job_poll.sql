-- What there is to do, from the partial indexes only; writes and locks nothing.
select array(select k from unnest(:kinds::text[]) as k
        where exists (select from job where state = 'ready' and kind = k)) as ready,
    exists (select from job where state = 'scheduled' and run_at <= now()) as due,
    exists (select from job where state = 'running' and kind = any (:kinds::text[])
        and lease_until < now()) as lapsed,
    exists (select from job where state = 'running' and kind = any (:kinds::text[])
        and cancel) as cancels,
    exists (select from cron where name = any (:crons::text[]) and next_at <= now())
        as ticks,
    ceil(extract(epoch from least(
        (select run_at from job where state = 'scheduled' order by run_at limit 1),
        (select min(next_at) from cron where name = any (:crons::text[]))) - now())
        * 1000)::bigint as next_ms
