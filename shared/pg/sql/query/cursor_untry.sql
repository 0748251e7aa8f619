-- The process that tried the next events lives, whatever became of them.
update event_cursor set tried_by = 0 where subscription = :subscription and lane = :lane
