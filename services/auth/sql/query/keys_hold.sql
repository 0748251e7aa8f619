-- From here on these make no more keys.
select id from api_key
where tenant_id = :tenant_id and id = any(:key_ids::uuid[])
order by id
for update
