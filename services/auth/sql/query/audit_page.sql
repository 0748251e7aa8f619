-- As shared/pg's, of organisations only: what people did with their own accounts stands
-- in chains of theirs, which are nobody else's.
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
            and not exists (select 1 from account_directory d
                where d.account_id = audit.tenant_id)
        order by tenant_id, id
        limit :limit
    ) entry
) page
where bytes <= 196608 or place = 1
order by tenant_id, id
