-- What an organisation uses.
select used from storage where tenant_id = :tenant_id
