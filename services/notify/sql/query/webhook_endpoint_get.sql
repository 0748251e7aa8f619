-- expect: one NOT_FOUND "There is no such webhook endpoint."
select id, version, url, event_types, description, status, disabled_reason, disabled_at,
    failing_since, rests_until, created_at, updated_at, secret as secret_sealed,
    former_secret as former_secret_sealed, former_secret_until
from webhook_endpoint
where tenant_id = :tenant_id and id = :endpoint_id
