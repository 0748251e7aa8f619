select began_at, finished_at, gone from erasure where tenant_id = :tenant_id
