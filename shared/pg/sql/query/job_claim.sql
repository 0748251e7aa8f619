-- Takes up to :room ready jobs of a kind under a lease, going round the tenants that
-- have some: :after itself where it has :credit left of its turn, those behind it, then
-- from the start to :until. A loose index scan finds the tenants, so that one's million
-- jobs cost the others nothing; all are in one lane. Each gets its share by weight, as far as its jobs that
-- run (in all replicas) leave it room; the platform's own (no tenant) have no cap.
with recursive ring (tenant_id, wrapped, place, steps, room) as (
    select :after::uuid, false, 0, 0, case when :credit::integer = 0 then 0
        else :per_tenant::bigint - (select count(*) from job b where b.state = 'running'
            and b.kind = :kind::text and b.tenant_id = :after::uuid) end
    union all
    select n.tenant_id, n.wrapped, r.place + (n.room > 0)::integer, r.steps + 1, n.room
    from ring r cross join lateral (
        select t.tenant_id, t.wrapped, case
            when t.tenant_id = '00000000-0000-0000-0000-000000000000' then :room::bigint
            else :per_tenant::bigint - (
                select count(*) from job b where b.state = 'running'
                and b.kind = :kind::text and b.tenant_id = t.tenant_id) end as room
        from (
            (select j.tenant_id, r.wrapped from job j
            where j.state = 'ready' and j.kind = :kind::text
                and j.tenant_id > r.tenant_id
                and j.tenant_id <= case when r.wrapped then :until::uuid
                    else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end
            order by j.tenant_id limit 1)
            union all
            (select j.tenant_id, true from job j
            where not r.wrapped and j.state = 'ready' and j.kind = :kind::text
                and j.tenant_id <= :until::uuid
            order by j.tenant_id limit 1)
            limit 1) t
        offset 0 -- counted once, though used twice
    ) n
    where r.place < :room::integer and r.steps < 1000
), weighted as materialized (
    select r.tenant_id, r.place, r.room, case when r.place = 0 then :credit::integer
        else coalesce((select w.weight from job_weight w
            where w.tenant_id = r.tenant_id), 1) end as weight
    from ring r where r.room > 0
), turn as (
    select tenant_id, place, weight, least(room, greatest(weight,
        :room::integer * weight / sum(weight) over ())) as most
    from weighted order by place
), pick as materialized (
    select c.id, t.place, t.most, t.weight
    from turn t cross join lateral (
        select j.id from job j
        where j.state = 'ready' and j.kind = :kind::text and j.tenant_id = t.tenant_id
        order by j.lane, j.priority desc, j.run_at, j.id
        limit t.most
        for update skip locked) c
    limit :room::integer
)
update job set state = 'running', attempt = attempt + 1, lease_token = :token::uuid,
    lease_until = now() + :lease_ms::integer * interval '1 millisecond'
from pick where job.id = pick.id
returning job.id, tenant_id, attempt, attempts, payload, trace, made_at, run_at, ending,
    job.key is not null as has_key, pick.place, pick.most, pick.weight,
    (extract(epoch from clock_timestamp() - run_at) * 1000000)::bigint as wait_us
