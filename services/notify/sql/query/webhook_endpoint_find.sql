-- For a delivery: no row where the endpoint is gone.
select id, version, url, event_types, description, status, failing_since, rests_until,
    created_at, updated_at, secret as secret_sealed, former_secret as former_secret_sealed,
    former_secret_until
from webhook_endpoint
where tenant_id = :tenant_id and id = :endpoint_id
