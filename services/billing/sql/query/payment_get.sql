-- A payment, refund or dispute, with what its provider is to be asked for.
-- expect: one NOT_FOUND "There is no such payment."
select p.id as "payment.id", p.invoice_id as "payment.invoice_id",
    p.method_id as "payment.method_id", p.payment_id as "payment.payment_id",
    p.kind as "payment.kind", p.status as "payment.status",
    p.provider as "payment.provider", p.currency as "payment.currency",
    p.amount as "payment.amount", p.refunded as "payment.refunded",
    p.decline_code as "payment.decline_code", p.created_at as "payment.created_at",
    p.settled_at as "payment.settled_at", p.reference, p.off_refunds, o.reference as payment_reference,
    m.reference as method_reference,
    (select f.id from payment f where f.tenant_id = p.tenant_id
        and f.invoice_id = p.invoice_id and f.kind = 'payment'
        and f.status = 'requires_action' and f.id <> p.id limit 1) as former_id,
    (select i.status from invoice i where i.tenant_id = p.tenant_id
        and i.id = p.invoice_id) as invoice_status
from payment p
left join payment_method m on m.tenant_id = p.tenant_id and m.id = p.method_id
left join payment o on o.tenant_id = p.tenant_id and o.id = p.payment_id
where p.tenant_id = :tenant_id and p.id = :id
