-- expect: one PRECONDITION "Somebody has changed this endpoint meanwhile; read it again."
delete from webhook_endpoint
where tenant_id = :tenant_id and id = :endpoint_id and version = :former_version
