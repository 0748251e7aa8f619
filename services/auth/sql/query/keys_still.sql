-- That no key was made since they were read.
-- expect: one PRECONDITION "An API key was created or revoked in the meantime; try again."
with recursive made as (
    select id from api_key
    where tenant_id = :tenant_id and (id = :key_id or created_by = :maker)
    union
    select k.id from api_key k
    join made on k.parent_id = made.id
    where k.tenant_id = :tenant_id
)
select count(*) as keys from made having count(*) = :number
