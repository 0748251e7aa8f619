-- The transaction is not waited for until it is on PostgreSQL's disk.
select set_config('synchronous_commit', 'off', true) as name
