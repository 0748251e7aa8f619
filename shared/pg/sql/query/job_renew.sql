-- The heartbeat of all jobs a worker runs: their leases last again. Gives those that
-- are still its own, and whether the operator wants one to end.
update job set lease_until = now() + :lease_ms::integer * interval '1 millisecond'
from unnest(:ids::uuid[], :tokens::uuid[]) as r (id, token)
where job.id = r.id and job.lease_token = r.token and job.state = 'running'
returning job.id, job.cancel
