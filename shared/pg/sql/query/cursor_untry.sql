-- Who tried what comes next lives, whatever became of it.
update event_cursor set tried_by = 0 where subscription = :subscription and lane = :lane
