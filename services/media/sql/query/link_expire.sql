-- Links of a file that open nothing any more.
delete from link
where tenant_id = :tenant_id and file_id = :file_id and expires_at < :now
