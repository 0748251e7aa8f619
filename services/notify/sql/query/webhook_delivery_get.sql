-- expect: one NOT_FOUND "There is no such webhook delivery."
select d.id, d.endpoint_id, d.event_id, d.event_type, d.webhook_id, d.status, d.created_at,
    d.finished_at, d.body as request_body
from webhook_delivery as d
    join webhook_endpoint as e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id
where d.tenant_id = :tenant_id and d.id = :delivery_id
