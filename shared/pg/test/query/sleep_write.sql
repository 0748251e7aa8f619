insert into thing (tenant_id, id, name)
select :tenant_id, :id, :name from pg_sleep(:ms::bigint / 1000.0)
