select id, body
from product_event
where tenant_id = :tenant_id
order by id
limit :limit
