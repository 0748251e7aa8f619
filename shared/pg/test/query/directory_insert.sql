insert into thing_directory (name, tenant_id) values (:name, :tenant_id)
