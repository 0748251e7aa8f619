-- Invitations of tenants past their grace. The hour is for clocks that differ: who
-- restores a tenant does so by the service's clock.
with gone as (
    delete from invitation
    where (tenant_id, id) in (
        select tenant_id, id from invitation where tenant_id in (
            select tenant_id from tenant
            where status = 'deleting' and delete_at <= now() - interval '1 hour')
        limit 5000)
    returning 1
)
select count(*) from gone
