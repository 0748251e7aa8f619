update webhook_endpoint
set failing_since = null, failures = 0, rests_until = null
where tenant_id = :tenant_id and id = :endpoint_id and failures > 0
