-- Partial uploads that a final one is to be made of.
select id, length, reserved, finished_at
from upload
where tenant_id = :tenant_id and uploader = :uploader and id = any (:ids::uuid[])
    and concat = 'partial' and expires_at > :now
