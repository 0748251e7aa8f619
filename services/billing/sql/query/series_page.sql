-- The organisations that billing knows.
select tenant_id
from series_directory
where kind = 'invoice' and tenant_id > :after
order by tenant_id limit :limit
