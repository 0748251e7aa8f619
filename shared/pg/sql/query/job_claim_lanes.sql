-- As job_claim, for a kind whose jobs hold their slots for as long as somebody outside
-- pleases. So it is the time held that is shared out: a tenant gets one more only while it
-- holds less than what is :free still, times its weight. However many hold all that they
-- may, something is left for whoever comes next (Choudhury and Hahne, "Dynamic queue length
-- thresholds", 1998): alone it could have so many more until it holds what is free then,
-- which is its room. In a tenant's own share the same goes for its lanes. They are found
-- by a loose index scan that begins anywhere, up to 64 of them.
with recursive ring (tenant_id, wrapped, place, steps, held, room, weight) as (
    select :after::uuid, false, 0, 0, 0::bigint, 0::bigint, 1
    union all
    select n.tenant_id, n.wrapped, r.place + (n.room > 0)::integer, r.steps + 1, n.held,
        n.room, n.weight
    from ring r cross join lateral (
        select t.tenant_id, t.wrapped, w.weight, h.held, least(
            (:free::bigint * w.weight - h.held + w.weight) / (1 + w.weight),
            case when t.tenant_id <> '00000000-0000-0000-0000-000000000000'
                then :per_tenant::bigint - h.held end) as room
        from (
            (select j.tenant_id, r.wrapped from job j
            where j.state = 'ready' and j.kind = :kind::text
                and j.tenant_id > r.tenant_id
                and j.tenant_id <= case when r.wrapped then :after::uuid
                    else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end
            order by j.tenant_id limit 1)
            union all
            (select j.tenant_id, true from job j
            where not r.wrapped and j.state = 'ready' and j.kind = :kind::text
                and j.tenant_id <= :after::uuid
            order by j.tenant_id limit 1)
            limit 1) t cross join lateral (
            select coalesce((select w.weight from job_weight w
                where w.tenant_id = t.tenant_id), 1) as weight) w cross join lateral (
            select count(*) as held from job b where b.state = 'running'
            and b.kind = :kind::text and b.tenant_id = t.tenant_id) h
        offset 0 -- counted once, though used twice
    ) n
    where r.place < :room::integer and r.steps < 1000
), turn as (
    select tenant_id, place, weight, held, room, least(room, greatest(1,
        :room::integer * weight / sum(weight) over ())) as most
    from ring where room > 0
), allowed as (
    select c.id, t.place, t.most, t.weight, t.held + c.nth - 1 as held, row_number() over (
        order by (t.held + c.nth) * 100 / t.weight, t.place) as nth
    from turn t cross join lateral (
        with recursive lanes (lane, wrapped, steps) as (
            select :token::uuid, false, 0
            union all
            select n.lane, n.wrapped, l.steps + 1
            from lanes l cross join lateral (
                (select j.lane, l.wrapped from job j
                where j.state = 'ready' and j.kind = :kind::text
                    and j.tenant_id = t.tenant_id and j.lane > l.lane
                    and j.lane <= case when l.wrapped then :token::uuid
                        else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end
                order by j.lane limit 1)
                union all
                (select j.lane, true from job j
                where not l.wrapped and j.state = 'ready' and j.kind = :kind::text
                    and j.tenant_id = t.tenant_id and j.lane <= :token::uuid
                order by j.lane limit 1)
                limit 1) n
            where l.steps < 64
        ), held as (
            select l.lane, (select count(*) from job b where b.state = 'running'
                and b.kind = :kind::text and b.tenant_id = t.tenant_id
                and b.lane = l.lane) as n
            from lanes l where l.steps > 0
        ), leveled as (
            select j.id, j.priority, j.run_at, h.n + row_number() over (partition by h.lane
                order by j.priority desc, j.run_at, j.id) as level
            from held h cross join lateral (
                select j.id, j.priority, j.run_at from job j
                where j.state = 'ready' and j.kind = :kind::text
                    and j.tenant_id = t.tenant_id and j.lane = h.lane
                order by j.priority desc, j.run_at, j.id
                limit greatest(0, least(t.most, :per_lane::bigint - h.n))
                for update skip locked) j
        )
        select id, nth from (
            select id, level, row_number() over (
                order by level, priority desc, run_at, id) as nth from leveled) d
        where level - 1 < t.room - (nth - 1) and nth <= t.most) c
), pick as materialized (
    select id, place, most, weight from allowed
    where held < (:free::bigint - (nth - 1)) * weight and nth <= :room::integer
)
update job set state = 'running', attempt = attempt + 1, lease_token = :token::uuid,
    lease_until = now() + :lease_ms::integer * interval '1 millisecond'
from pick where job.id = pick.id
returning job.id, tenant_id, attempt, attempts, payload, trace, made_at, run_at, ending,
    job.key is not null as has_key, pick.place, pick.most, pick.weight,
    (extract(epoch from clock_timestamp() - run_at) * 1000000)::bigint as wait_us
