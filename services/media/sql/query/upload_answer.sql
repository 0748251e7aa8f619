-- A process has answered, or nobody waits for it any more.
delete from upload_ask_directory
where holder = :holder and id = :id and tenant_id = :tenant_id
