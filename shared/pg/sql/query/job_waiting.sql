-- What of a kind waits under a key, or runs, of a tenant, behind :after; oldest first.
select id, tenant_id, attempt, attempts, made_at, run_at, payload
from (
    select id, tenant_id, attempt, attempts, made_at, run_at, payload, ending from job
    where kind = :kind and tenant_id = :tenant and key is not null
        and state in ('ready', 'scheduled')
    union all
    select id, tenant_id, attempt, attempts, made_at, run_at, payload, ending from job
    where kind = :kind and tenant_id = :tenant and state = 'running'
) waiting
where id > :after::uuid and ending is null
order by id limit :limit
