-- For its job: no row where it is gone.
select id, endpoint_id, event_id, event_type, webhook_id, status, created_at,
    body as request_body
from webhook_delivery
where tenant_id = :tenant_id and id = :delivery_id
