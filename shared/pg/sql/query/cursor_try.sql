-- Before a process, new since, tries what comes next.
update event_cursor set tries = tries + 1
where subscription = :subscription and lane = :lane
returning tries as n
