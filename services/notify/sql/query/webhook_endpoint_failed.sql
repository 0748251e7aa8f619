update webhook_endpoint set failing_since = :now
where tenant_id = :tenant_id and id = :endpoint_id and failing_since is null
