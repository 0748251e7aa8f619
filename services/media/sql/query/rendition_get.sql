-- What was made of a picture in one way.
select file_id, key, type, size, width, height, etag, created_at from rendition
where tenant_id = :tenant_id and file_id = :file_id and key = :key
