-- Elects the one who numbers, until the end of its transaction. What it does then is
-- planned by index: feed_fresh is a queue (as plan_by_index of shared/pg has it).
-- expect: one CONFLICT
select number, set_config('enable_seqscan', 'off', true) is null as by_index,
    set_config('enable_bitmapscan', 'off', true) is null as not_by_bitmap
from feed_head_directory for update
