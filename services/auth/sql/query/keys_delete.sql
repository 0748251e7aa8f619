delete from api_key where tenant_id = :tenant_id and id = any(:key_ids::uuid[])
