-- For who begins to hear of the chains: all of them, by chain and entry, after one, as
-- much as a frame holds. Run by the _sys role. A detail that is too long to be told is
-- not shown here either. An empty page is the last.
select tenant_id, id, created_at, action, actor_kind, actor_id, subject_kind, subject_id,
    detail, address, number, hash
from (
    select tenant_id, id, created_at, action, actor_kind, actor_id, subject_kind,
        subject_id, detail, address, number, hash,
        sum(coalesce(octet_length(detail), 0)) over (order by tenant_id, id) as bytes,
        row_number() over (order by tenant_id, id) as place
    from (
        select tenant_id, id, at as created_at, action,
            nullif(actor_kind, 'nobody') as actor_kind, actor_id, subject_kind, subject_id,
            case when octet_length(detail) <= 65536 then detail end as detail, address,
            seq as number, hash
        from audit
        where (tenant_id, id) > (:after_aggregate::uuid, :after_part::uuid)
        order by tenant_id, id
        limit :limit
    ) entry
) page
where bytes <= 196608 or place = 1
order by tenant_id, id
