update webhook_endpoint set failing_since = null
where tenant_id = :tenant_id and id = :endpoint_id and failing_since is not null
