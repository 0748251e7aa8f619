-- This service's chain and the copies of the others', newest first: an id is made with
-- its entry, and rises with time. Each side is read by its key, a page at most.
select id, created_at, chain, number, action, actor_kind, actor_id, subject_kind,
    subject_id, hash, detail, address
from (
    (select id, at as created_at, 'tenants' as chain, seq as number, action,
        nullif(actor_kind, 'nobody') as actor_kind, actor_id, subject_kind, subject_id,
        hash, detail, address
    from audit
    where tenant_id = :tenant_id and id < :before
    order by id desc
    limit :limit)
    union all
    (select id, created_at, chain, number, action, actor_kind, actor_id, subject_kind,
        subject_id, hash, detail, address
    from audit_copy
    where tenant_id = :tenant_id and id < :before
    order by id desc
    limit :limit)
) entry
order by id desc
limit :limit
