-- The dispute or inquiry that a provider knows by its reference.
select p.id as "payment.id", p.invoice_id as "payment.invoice_id",
    p.payment_id as "payment.payment_id", p.kind as "payment.kind",
    p.status as "payment.status", p.provider as "payment.provider",
    p.currency as "payment.currency", p.amount as "payment.amount",
    p.refunded as "payment.refunded", p.decline_code as "payment.decline_code",
    p.created_at as "payment.created_at", p.settled_at as "payment.settled_at",
    p.reference, p.off_refunds
from payment p
where p.tenant_id = :tenant_id and p.provider = :provider
    and p.reference = :reference::text and p.kind in ('dispute', 'inquiry')
order by p.id desc limit 1
