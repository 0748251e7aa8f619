-- What never changes of an invoice.
-- expect: one INTERNAL
select i.place, i.document from invoice i where i.tenant_id = :tenant_id and i.place = :place
