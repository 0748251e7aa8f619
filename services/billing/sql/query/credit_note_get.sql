-- A credit note, and the invoice that it is of.
-- expect: one NOT_FOUND "There is no such credit note."
select c.document, i.document as invoice
from credit_note c
join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
where c.tenant_id = :tenant_id and c.id = :id
