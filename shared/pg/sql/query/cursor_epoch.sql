-- The producer may have given numbers anew: goes back a way, and the inbox knows what
-- was applied, again too (see cursor_replay).
update event_cursor set epoch = :epoch::int,
    again_after = greatest(event_cursor.again_after, event_cursor.seq),
    seq = greatest(least(event_cursor.seq, c.head) - :overlap::bigint, c.first - 1)
from unnest(:lanes::int[], :heads::bigint[], :firsts::bigint[]) as c (lane, head, first)
where subscription = :subscription and event_cursor.lane = c.lane
    and event_cursor.epoch < :epoch::int
