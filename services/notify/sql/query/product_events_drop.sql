delete from product_event where tenant_id = :tenant_id and id = any(:ids::uuid[])
