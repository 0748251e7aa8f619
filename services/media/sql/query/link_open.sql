-- A link that somebody follows. No row: it was revoked.
select version, download from link
where tenant_id = :tenant_id and id = :id and file_id = :file_id
