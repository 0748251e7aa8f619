-- For the operator only, and run by the _sys role: nobody else asks by slug.
select tenant_id
from tenant_directory
where slug = :slug
