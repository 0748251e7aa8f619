-- One event's, to each endpoint that wants it: what is the same in all of them travels once.
-- For an endpoint that is disabled it is kept, to be replayed.
insert into webhook_delivery (tenant_id, id, endpoint_id, event_id, event_type, webhook_id,
    body, bytes, status, created_at, finished_at)
select :tenant_id, told.id, told.endpoint_id, :event_id, :event_type, told.webhook_id,
    :body, octet_length(:body::text), told.status, :created_at,
    case when told.status = 'cancelled' then :created_at::timestamptz end
from unnest(:ids::uuid[], :endpoint_ids::uuid[], :webhook_ids::text[], :statuses::text[])
    as told (id, endpoint_id, webhook_id, status)
