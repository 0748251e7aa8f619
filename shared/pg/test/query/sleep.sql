select pg_sleep(:ms::bigint / 1000.0)::text as text
