-- Those that an account made, and what these made.
with recursive made as (
    select id from api_key
    where tenant_id = :tenant_id and created_by = :created_by
    union
    select k.id from api_key k
    join made on k.parent_id = made.id
    where k.tenant_id = :tenant_id
)
select id, name, permissions, created_by, created_at, expires_at, last_used_at,
    parent_id as made_by_key
from api_key
where tenant_id = :tenant_id and id > :after and id in (select id from made)
order by id
limit :limit
