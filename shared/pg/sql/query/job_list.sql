-- Jobs by id, those behind :after; state, kind and tenant narrow where given.
select id, tenant_id, kind, coalesce(ending, state) as state, priority, run_at, attempt,
    attempts, key, made_at, lease_until, error, ended_at
from job
where id > :after::uuid and (:state::text is null or state = :state::text)
    and (:kind::text is null or kind = :kind::text)
    and (:tenant::uuid is null or tenant_id = :tenant::uuid)
order by id limit :limit
