-- Adds a job of the batch's tenant; no row where one of its key waits already.
insert into job (id, tenant_id, kind, state, priority, run_at, attempt, attempts, key,
    payload, trace, made_at, lane)
values (:id::uuid,
    coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'),
    :kind::text, case when :run_at::timestamptz > now() then 'scheduled' else 'ready' end,
    :priority::integer, coalesce(:run_at::timestamptz, now()), 0, :attempts::integer,
    :key::text, :payload::bytea, :trace::bytea, now(), :lane::uuid)
on conflict do nothing
