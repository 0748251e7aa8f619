-- A key, or those that an account made (nil: not asked for), and all that these made.
with recursive made as (
    select id from api_key
    where tenant_id = :tenant_id and (id = :key_id or created_by = :maker)
    union
    select k.id from api_key k
    join made on k.parent_id = made.id
    where k.tenant_id = :tenant_id
)
select id from made order by id
