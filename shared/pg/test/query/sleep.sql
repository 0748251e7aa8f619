select pg_sleep(:seconds::float8)::text as text
