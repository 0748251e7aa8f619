-- For each kind: how many are ready (counted up to 10,000), and for how long the
-- oldest of those whose turn it is has been due (over up to 200 tenants' lanes).
select k as kind,
    (select count(*) from (select from job where state = 'ready' and kind = k
        limit 10000) as counted) as ready,
    (with recursive ring (tenant_id, lane, run_at, steps) as (
        (select j.tenant_id, j.lane, j.run_at, 1 from job j
        where j.state = 'ready' and j.kind = k
        order by j.tenant_id, j.lane, j.priority desc, j.run_at limit 1)
        union all
        select n.tenant_id, n.lane, n.run_at, r.steps + 1
        from ring r cross join lateral (
            select j.tenant_id, j.lane, j.run_at from job j
            where j.state = 'ready' and j.kind = k
                and (j.tenant_id, j.lane) > (r.tenant_id, r.lane)
            order by j.tenant_id, j.lane, j.priority desc, j.run_at limit 1) n
        where r.steps < 200
    ) select (extract(epoch from now() - min(run_at)) * 1000000)::bigint from ring)
        as oldest_us
from unnest(:kinds::text[]) as k
