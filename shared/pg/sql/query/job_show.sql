-- expect: one NOT_FOUND "There is no such job."
-- One job with its payload.
select id, tenant_id, kind, coalesce(ending, state) as state, priority, run_at, attempt,
    attempts, key, made_at, lease_until, error, ended_at, payload, trace
from job where id = :id::uuid
