-- Before statements over tables that are queues: a plan made while one was small, or
-- empty, must not stay when it has grown, or is full of rows that were deleted.
select set_config('enable_seqscan', 'off', true) is null,
    set_config('enable_bitmapscan', 'off', true) is null
