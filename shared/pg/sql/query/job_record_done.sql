-- Jobs that are done do not come back: their records need not be kept for that, only
-- for as long as a worker that stood still may yet try to write. Each is found by its
-- whole key: by a plan made while there were few, all records of jobs would be read.
update idempotency set expires_at = least(expires_at, now() + interval '1 day')
from unnest(:ids::uuid[], :scopes::uuid[]) as d (id, scope)
    cross join lateral (select r.ctid as place from idempotency r
        where r.scope = d.scope and r.method = '' and r.key = 'job:' || d.id::text
        offset 0) known
where idempotency.ctid = known.place
    and not exists (select from job where job.id = d.id)
