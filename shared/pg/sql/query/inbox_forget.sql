-- So that a replay applies these again.
delete from inbox i using unnest(:lanes::int[], :seqs::bigint[]) as c (lane, seq)
where i.subscription = :subscription and i.lane = c.lane and i.seq > c.seq
