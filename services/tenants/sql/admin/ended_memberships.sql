-- Memberships of tenants past their grace: from then on nobody could see it anyway.
with gone as (
    delete from membership
    where (tenant_id, account_id) in (
        select tenant_id, account_id from membership where tenant_id in (
            select tenant_id from tenant
            where status = 'deleting' and delete_at <= now() - interval '1 hour')
        limit 5000)
    returning 1
)
select count(*) from gone
