-- The plan's value holds again.
delete from entitlement where tenant_id = :tenant_id and feature = :feature
