insert into api_key_directory (key_id, tenant_id) values (:id, :tenant_id)
