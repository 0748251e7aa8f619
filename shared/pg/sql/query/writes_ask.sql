-- Whether the server at the other end takes writes, as its session would begin them.
select current_setting('transaction_read_only')::boolean as read_only
