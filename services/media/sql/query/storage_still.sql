-- That an organisation uses just so much; nobody changes it until the commit.
-- expect: one CONFLICT "What is stored has changed meanwhile."
select used from storage where tenant_id = :tenant_id and used = :used for update
