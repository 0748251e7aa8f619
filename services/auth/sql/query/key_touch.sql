update api_key
set last_used_at = :now
where tenant_id = :tenant_id and id = (
    select id from api_key
    where tenant_id = :tenant_id and id = :key_id
        and (last_used_at is null or last_used_at <= :before)
    for update skip locked)
