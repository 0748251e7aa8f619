-- Before statements over jobs: a plan made while the table was small must not stay
-- when it has grown.
select set_config('enable_seqscan', 'off', true) is null,
    set_config('enable_bitmapscan', 'off', true) is null
