-- The bytes of small partial uploads.
select id, head
from upload
where tenant_id = :tenant_id and id = any (:ids::uuid[]) and head is not null
