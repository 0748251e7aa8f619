-- Jobs that are done do not come back: their records need not be kept for that, only
-- for as long as a worker that stood still may yet try to write.
update idempotency set expires_at = least(expires_at, now() + interval '1 day')
from unnest(:ids::uuid[], :scopes::uuid[]) as d (id, scope)
where idempotency.scope = d.scope and idempotency.method = ''
    and idempotency.key = 'job:' || d.id::text
    and not exists (select from job where job.id = d.id)
