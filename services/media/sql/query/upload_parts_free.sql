-- What the parts of a final upload had reserved is its own from now on, and they stay for
-- as long as one that has begun just now. They are as they were read,
-- and whoever has read them before, to end them, reads them anew.
-- expect: one CONFLICT "A part has changed meanwhile."
with part as (
    select id, reserved from upload
    where tenant_id = :tenant_id and uploader = :uploader and id = any (:ids::uuid[])
        and concat = 'partial' and finished_at is not null and expires_at > :now
    order by id for update
), freed as (
    update upload set reserved = 0, generation = generation + 1,
        expires_at = :expires_at
    from part where upload.tenant_id = :tenant_id and upload.id = part.id
    returning part.reserved
)
select count(*) as count from freed
having count(*) = :count::bigint and coalesce(sum(reserved), 0) = :freed::bigint
