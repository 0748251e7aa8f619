-- expect: one PRECONDITION "Only a dead or cancelled job can be retried."
-- An ended job is ready once more, with all its attempts.
update job set state = 'ready', run_at = now(), attempt = 0, ending = null,
    cancel = false, ended_at = null,
    key = case when exists (select from job o where o.kind = job.kind
            and o.tenant_id = job.tenant_id and o.key = job.key
            and o.state in ('ready', 'scheduled')) then null else key end
where id = :id::uuid and state in ('dead', 'cancelled')
