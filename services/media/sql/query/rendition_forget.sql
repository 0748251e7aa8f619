-- It counts no more; its bytes go, or have gone.
delete from rendition where tenant_id = :tenant_id and file_id = :file_id and key = :key
