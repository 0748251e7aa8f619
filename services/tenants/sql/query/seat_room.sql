-- With the one that was just added, under the tenant's lock. What is over the limit already
-- stays; nothing is added to it.
-- expect: one QUOTA "No seat of the plan is free."
select 1 as fits
where (select count(*) from membership m where m.tenant_id = :tenant_id)
    + (select count(*) from invitation i where i.tenant_id = :tenant_id
        and i.status = 'pending' and i.expires_at > :now) <= :allowed::bigint
