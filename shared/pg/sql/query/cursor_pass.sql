-- Past events that are not wanted, where nobody has moved it since.
update event_cursor set seq = c.seq
from unnest(:lanes::int[], :saved::bigint[], :seqs::bigint[]) as c (lane, saved, seq)
where subscription = :subscription and event_cursor.lane = c.lane
    and event_cursor.seq = c.saved
