-- Tenants past their grace, with their place in the directory: the slug is free
-- again. What belonged to them is gone before; the audit chain stays.
with gone as (
    delete from tenant
    where tenant_id in (
        select tenant_id from tenant
        where status = 'deleting' and delete_at <= now() - interval '1 hour'
        limit 500
        for update skip locked)
    returning tenant_id
), way as (
    delete from tenant_directory where tenant_id in (select tenant_id from gone)
)
select count(*) from gone
