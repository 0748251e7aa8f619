-- A draft that will not become final: it never had a number. The account's version guards
-- it.
-- expect: one INTERNAL
delete from invoice where tenant_id = :tenant_id and id = :id and status = 'draft'
