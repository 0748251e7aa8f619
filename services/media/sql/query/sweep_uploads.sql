-- Uploads past their time, of all organisations.
select tenant_id, id, collection, name, type, metadata, length, received, reserved, generation, holder,
    hash_state, store_state, concat, parts, joined, uploader, created_by, expires_at, finished_at
from upload
where expires_at < :now and (tenant_id, id) > (:tenant_id::uuid, :id::uuid)
order by tenant_id, id limit :limit
