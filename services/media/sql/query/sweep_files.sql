-- Files that have bytes, of all organisations: one of so many parts of them, which an id's
-- last byte says.
select tenant_id, id as file_id, size
from file
where coalesce(kept_state, state) in ('ready', 'quarantined')
    and (tenant_id, id) > (:tenant_id::uuid, :id::uuid)
    and get_byte(uuid_send(id), 15) % :slices::integer = :slice::integer
order by tenant_id, id limit :limit
