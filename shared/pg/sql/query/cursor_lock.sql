-- Owns a lane while something else than its next events is applied.
-- expect: one BUSY "The lane is being applied elsewhere; try again."
select lane, seq, epoch from event_cursor
where subscription = :subscription and lane = :lane for update skip locked
