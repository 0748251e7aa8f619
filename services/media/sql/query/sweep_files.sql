-- Files that have bytes, of all organisations.
select tenant_id, id as file_id, size
from file
where coalesce(kept_state, state) in ('ready', 'quarantined')
    and (tenant_id, id) > (:tenant_id::uuid, :id::uuid)
order by tenant_id, id limit :limit
