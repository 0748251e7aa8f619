-- A payment with what its provider is to be asked for.
-- expect: one NOT_FOUND
select p.id, p.invoice_id, p.status, p.currency, p.amount,
    m.reference as method_reference
from payment p
left join payment_method m on m.tenant_id = p.tenant_id and m.id = p.method_id
where p.tenant_id = :tenant_id and p.id = :id
