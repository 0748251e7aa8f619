-- One of them, unless it was made anew meanwhile.
-- expect: one NOT_FOUND
delete from rendition
where tenant_id = :tenant_id and file_id = :file_id and key = :key and created_at < :before
