-- expect: one NOT_FOUND "There is no such API key."
delete from api_key where tenant_id = :tenant_id and id = :key_id
