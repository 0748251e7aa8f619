-- Auth's chain of a tenant, newest first, before an id (nil: from the newest).
select id, at as created_at, seq as number, action, actor_kind, actor_id, subject_kind,
    subject_id, hash, detail, address
from audit
where tenant_id = :tenant_id
    and (:before_id::uuid = '00000000-0000-0000-0000-000000000000' or id < :before_id::uuid)
order by id desc
limit :limit
