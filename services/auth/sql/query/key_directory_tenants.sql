-- The organisations in which an account made keys.
select distinct tenant_id from api_key_directory where maker = :account_id
