-- This service's chain, newest first.
select id, at as created_at, 'tenants' as chain, seq as number, action, actor_kind,
    actor_id, subject_kind, subject_id, hash, detail, address
from audit
where tenant_id = :tenant_id and id < :before
order by id desc
limit :limit
