-- expect: one NOT_FOUND "There is no such webhook endpoint."
delete from webhook_endpoint
where tenant_id = :tenant_id and id = :endpoint_id
