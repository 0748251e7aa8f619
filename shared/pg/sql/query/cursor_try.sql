-- Before a process, new since, tries what comes next: counts those that tried and died,
-- which are those that neither came to an end with it nor are there any more.
update event_cursor set tries = tries + case when tried_by = 0
        or exists (select from pg_stat_activity a where a.pid = event_cursor.tried_by)
        then 0 else 1 end,
    tried_by = pg_backend_pid()
where subscription = :subscription and lane = :lane
returning tries as n
