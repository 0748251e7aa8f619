-- Those of some tenants that are erased here.
select tenant_id from erasure where tenant_id = any (:tenant_ids::uuid[])
