-- As job_insert; where one of its key waits already, that one waits until then.
insert into job (id, tenant_id, kind, state, priority, run_at, attempt, attempts, key,
    payload, trace, made_at, lane)
values (:id::uuid,
    coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'),
    :kind::text, case when :run_at::timestamptz > now() then 'scheduled' else 'ready' end,
    :priority::integer, coalesce(:run_at::timestamptz, now()), 0, :attempts::integer,
    :key::text, :payload::bytea, :trace::bytea, now(), :lane::uuid)
on conflict (kind, tenant_id, key) where key is not null and state in ('ready', 'scheduled')
    do update set run_at = excluded.run_at, state = excluded.state
    where job.ending is null
