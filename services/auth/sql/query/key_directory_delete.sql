delete from api_key_directory where key_id = :key_id and tenant_id = :tenant_id
