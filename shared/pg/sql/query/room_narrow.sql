-- Before room_ask: what it sorts shall not fit in memory.
select set_config('work_mem', '64kB', true) is null
