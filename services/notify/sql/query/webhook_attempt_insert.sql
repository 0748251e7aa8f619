-- Once for each number, also where its process died before it could say so.
with entered as (
    insert into webhook_attempt (tenant_id, delivery_id, number, started_at, took_ms,
        response_status, response_body, error)
    values (:tenant_id, :delivery_id, :number, :started_at, :took_ms, :response_status,
        :response_body, :error)
    on conflict (tenant_id, delivery_id, number) do nothing
    returning octet_length(coalesce(response_body, '')) + octet_length(coalesce(error, ''))
        + 100 as bytes
)
update webhook_delivery as d set bytes = d.bytes + entered.bytes
from entered
where d.tenant_id = :tenant_id and d.id = :delivery_id
