-- What an organisation uses; nobody changes it until it is told.
select used from storage where tenant_id = :tenant_id for update
