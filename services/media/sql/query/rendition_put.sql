-- Something was made of a picture that is there still; again, it is the newest that counts.
-- expect: one NOT_FOUND "There is no such file."
insert into rendition (tenant_id, file_id, key, type, size, width, height, etag, created_at)
select tenant_id, id, :key, :type, :size::bigint, :width::integer, :height::integer, :etag,
    :created_at::timestamptz
from file where tenant_id = :tenant_id and id = :file_id
on conflict (tenant_id, file_id, key) do update set type = excluded.type,
    size = excluded.size, width = excluded.width, height = excluded.height,
    etag = excluded.etag, created_at = excluded.created_at
