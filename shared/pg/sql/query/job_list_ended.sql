-- The same of ended jobs, by their own index.
select id, tenant_id, kind, state, priority, run_at, attempt, attempts, key, made_at,
    lease_until, error, ended_at
from job
where id > :after::uuid and state in ('dead', 'cancelled') and state = :state::text
    and (:kind::text is null or kind = :kind::text)
    and (:tenant::uuid is null or tenant_id = :tenant::uuid)
order by id limit :limit
