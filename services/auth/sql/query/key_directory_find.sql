-- expect: one NOT_FOUND "There is no such API key."
select tenant_id from api_key_directory where key_id = :key_id
