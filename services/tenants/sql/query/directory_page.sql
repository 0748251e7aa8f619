select tenant_id as id
from tenant_directory
where tenant_id > :after
order by tenant_id
limit :limit
