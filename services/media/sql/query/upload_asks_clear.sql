-- Nobody waits for what a former holder was asked.
delete from upload_ask_directory
where tenant_id = :tenant_id and id = :id
