-- Whether the server at the other end takes writes, as its session would begin them; and
-- what time it is there.
select current_setting('transaction_read_only')::boolean as read_only,
       clock_timestamp() as now
