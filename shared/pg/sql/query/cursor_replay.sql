-- Sets lanes to a place. What the inbox knows after it is applied again where :again says
-- so, and else only what is still to be applied again since a replay before.
update event_cursor set seq = c.seq, tries = 0, tried_by = 0,
    again_after = case when :again then c.seq
        else greatest(event_cursor.again_after, event_cursor.seq) end,
    reached = greatest(event_cursor.reached, event_cursor.seq)
from unnest(:lanes::int[], :seqs::bigint[]) as c (lane, seq)
where subscription = :subscription and event_cursor.lane = c.lane
