-- Organisations an hour past their grace whose end no job is at: a release before this
-- one deleted them, or the job has failed for good. They get one.
with due as (
    insert into job (id, tenant_id, kind, state, priority, run_at, attempt, attempts, key,
        payload, trace, made_at)
    select gen_random_uuid(), t.tenant_id, 'end_tenant', 'ready', 0, now(), 0, 25, 'end',
        '', '', now()
    from tenant t
    where t.status = 'deleting' and t.delete_at <= now() - interval '1 hour'
        and not exists (select from erasure e where e.tenant_id = t.tenant_id)
        and not exists (select from job j where j.tenant_id = t.tenant_id
            and j.kind = 'end_tenant' and j.state in ('scheduled', 'ready', 'running'))
    limit 500
    on conflict do nothing
    returning 1
)
select count(*) from due
