select id, version, url, event_types, description, status, disabled_reason, disabled_at,
    failing_since, rests_until, created_at, updated_at, former_secret_until
from webhook_endpoint
where tenant_id = :tenant_id and id > :after
order by id
limit :limit
