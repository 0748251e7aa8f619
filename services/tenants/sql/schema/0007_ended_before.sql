-- Organisations that maintain has deleted so far are gone here, but not in the other
-- services, which kept what they had: they are erased now. The audit chain knows them.
insert into job (id, tenant_id, kind, state, priority, run_at, attempt, attempts, key,
    payload, trace, made_at)
select gen_random_uuid(), gone.tenant_id, 'end_tenant', 'ready', 0, now(), 0, 25, 'end', '',
    '', now()
from (select distinct tenant_id from audit a where a.action = 'tenants.tenant.delete'
    and not exists (select from tenant t where t.tenant_id = a.tenant_id)) gone;
