-- An upload, whoever's it is: for jobs.
select id, collection, name, type, metadata, length, received, reserved, generation, holder,
    hash_state, store_state, concat, parts, joined, uploader, created_by, expires_at, finished_at
from upload
where tenant_id = :tenant_id and id = :id
