-- expect: one PRECONDITION "This endpoint has changed meanwhile; read it again."
delete from webhook_endpoint
where tenant_id = :tenant_id and id = :endpoint_id and version = :former_version
