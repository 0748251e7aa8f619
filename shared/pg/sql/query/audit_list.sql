-- The chain of the scope, newest first, before an id (nil or null: from the newest).
select id, at as created_at, current_schema()::text as chain, seq as number, action,
    actor_kind, actor_id, subject_kind, subject_id, detail, address, trace_id,
    prev_hash, hash
from audit
where tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), ''),
        nullif(current_setting('trellis.account_id', true), ''))::uuid
    and id < coalesce(nullif(:before::uuid, '00000000-0000-0000-0000-000000000000'),
        'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by id desc
limit :limit
