-- Its bytes are not there.
delete from rendition where tenant_id = :tenant_id and file_id = :file_id and key = :key
