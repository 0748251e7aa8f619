-- expect: one PRECONDITION "This job has ended already."
-- A waiting job ends, after its kind was told where that wants to know; a running
-- one is asked to.
update job set
    cancel = state = 'running',
    state = case when state = 'running' then 'running'
        when kind = any (:told::text[]) then 'ready' else 'cancelled' end,
    ending = case when state <> 'running' and kind = any (:told::text[])
        then 'cancelled' else ending end,
    run_at = case when state <> 'running' and kind = any (:told::text[])
        then now() else run_at end,
    ended_at = case when state <> 'running' and not kind = any (:told::text[])
        then now() end
where id = :id::uuid and state in ('scheduled', 'ready', 'running')
    and ending is null
