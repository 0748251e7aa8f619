-- What an organisation stores.
select used, reserved from storage where tenant_id = :tenant_id
