insert into api_key_directory (key_id, tenant_id, maker)
values (:id, :tenant_id, :created_by)
