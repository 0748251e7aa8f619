-- Deleted files whose time was over before, of all organisations.
select tenant_id, id as file_id, size
from file
where state = 'deleted' and purge_at < :before
    and (tenant_id, id) > (:tenant_id::uuid, :id::uuid)
order by tenant_id, id limit :limit
