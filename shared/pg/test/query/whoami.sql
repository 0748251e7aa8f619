select pg_backend_pid()::bigint as n
