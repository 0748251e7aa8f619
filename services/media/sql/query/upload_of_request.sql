-- The upload that a request had begun when its process died, or another run of it has.
select id, collection, name, type, metadata, length, received, reserved, generation, holder,
    hash_state, store_state, concat, parts, uploader, created_by, expires_at, finished_at
from upload
where tenant_id = :tenant_id and request_key = :request_key
