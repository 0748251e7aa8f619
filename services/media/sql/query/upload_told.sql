-- Whoever began it is told, or nobody asks for that any more.
update upload set request_key = null where tenant_id = :tenant_id and id = :id
