-- An upload, for whoever may go on with it.
select id, collection, name, type, metadata, length, received, reserved, generation, holder,
    hash_state, store_state, concat, parts, uploader, created_by, expires_at, finished_at
from upload
where tenant_id = :tenant_id and id = :id and uploader = :uploader
