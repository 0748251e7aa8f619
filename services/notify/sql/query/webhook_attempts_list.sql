select delivery_id, number, started_at, took_ms, response_status, response_body, error
from webhook_attempt
where tenant_id = :tenant_id and delivery_id = any(:delivery_ids::uuid[])
order by delivery_id, number
limit 2000
