delete from api_key_directory
where tenant_id = :tenant_id and key_id = any(:key_ids::uuid[])
