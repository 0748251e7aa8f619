select id, event_types
from webhook_endpoint
where tenant_id = :tenant_id and status = 'enabled'
order by id
