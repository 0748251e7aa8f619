select id, event_types, status
from webhook_endpoint
where tenant_id = :tenant_id
order by id
