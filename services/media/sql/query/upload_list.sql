-- A page of the uploads that hold room, the newest first: the caller's, or all.
select id, name, collection, length, received as "offset", created_by, created_at, expires_at
from upload
where tenant_id = :tenant_id and (finished_at is null or reserved > 0)
    and (uploader = :me or :manages::boolean) and expires_at > :now and id < :before
order by id desc
limit :limit
