-- What was told in these lanes, each from after one number up to another, and as much
-- as fits; of types that are not wanted only the number. Where none is named, all are
-- wanted but one.
select lane, seq, id, type, tenant_id, subject_id, at, trace, payload
from (
    select c.place, l.lane, l.seq, case when l.wanted then l.event_id end as id,
        case when l.wanted then l.type end as type,
        case when l.wanted then l.tenant_id end as tenant_id,
        case when l.wanted then l.subject_id end as subject_id,
        case when l.wanted then l.at end as at,
        case when l.wanted then l.trace end as trace,
        case when l.wanted then l.payload end as payload,
        sum(l.bytes) over (order by c.place, l.seq) as sum_bytes, l.bytes
    from unnest(:lanes::int[], :afters::bigint[], :throughs::bigint[])
            with ordinality as c (lane, after, through, place)
        cross join lateral (
            select e.lane, e.seq, e.event_id, e.type, e.tenant_id, e.subject_id, e.at,
                e.trace, e.payload, w.wanted,
                case when w.wanted then octet_length(e.payload) + 150 else 10 end as bytes
            from event_log e, lateral (select
                case when coalesce(cardinality(:types::text[]), 0) = 0
                    then e.type <> :unless::text else e.type = any (:types::text[]) end
                as wanted) w
            where e.lane = c.lane and e.seq > c.after and e.seq <= c.through
            order by e.seq
            limit :most::int
        ) l
) r
where sum_bytes <= :most_bytes::bigint or sum_bytes = bytes
order by place, seq
