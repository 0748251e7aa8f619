-- Before statements over tables that are queues: a plan made while one was small, or
-- empty, must not stay when it has grown, or is full of rows that were deleted. As there
-- is one plan only, it is made once, and not anew for each list that is given.
select set_config('enable_seqscan', 'off', true) is null,
    set_config('enable_bitmapscan', 'off', true) is null,
    set_config('plan_cache_mode', 'force_generic_plan', true) is null
