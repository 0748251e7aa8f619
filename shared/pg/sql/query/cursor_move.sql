update event_cursor set seq = c.seq, tries = 0, tried_by = 0
from unnest(:lanes::int[], :seqs::bigint[]) as c (lane, seq)
where subscription = :subscription and event_cursor.lane = c.lane
