-- Payments of an invoice of which something can go back.
select p.id, p.invoice_id, p.kind, p.status, p.provider, p.currency, p.amount, p.refunded
from payment p
where p.tenant_id = :tenant_id and p.invoice_id = :invoice_id and p.kind = 'payment'
    and p.status = 'succeeded' and p.refunded < p.amount
order by p.id desc limit 8
