-- What was made of some pictures.
select file_id, key, type, size, width, height, etag, created_at from rendition
where tenant_id = :tenant_id and file_id = any (:file_ids)
