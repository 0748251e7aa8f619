-- A page of a file's links that still open it, the newest first.
select id, version, file_id, options, download, created_by, created_at, updated_at,
       expires_at
from link
where tenant_id = :tenant_id and file_id = :file_id and id < :before and expires_at > :now
order by id desc
limit :limit
