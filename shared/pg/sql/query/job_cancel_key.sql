-- As job_cancel, by the key, of the batch's tenant. One statement for those that wait and
-- those that run: so one that is claimed, or comes back, at this moment is met as what it
-- is by then. The key is free at once, though the kind may have to be told first.
update job set
    cancel = state = 'running',
    state = case when state = 'running' then 'running'
        when :told::boolean then 'ready' else 'cancelled' end,
    ending = case when state <> 'running' and :told::boolean then 'cancelled' end,
    run_at = case when state <> 'running' and :told::boolean then now() else run_at end,
    ended_at = case when state <> 'running' and not :told::boolean then now() end,
    key = case when state = 'running' then key end
where kind = :kind::text and key = :key::text and ending is null
    and tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000')
    and (state in ('scheduled', 'ready') or state = 'running')
