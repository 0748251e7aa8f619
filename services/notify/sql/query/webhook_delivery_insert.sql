insert into webhook_delivery (tenant_id, id, endpoint_id, event_id, event_type, webhook_id,
    body, bytes, status, created_at, replay_of)
values (:tenant_id, :id, :endpoint_id, :event_id, :event_type, :webhook_id,
    :request_body, octet_length(:request_body::text), 'waiting', :created_at, :replay_of)
