-- Payments, refunds and disputes, the newest first.
select p.id, p.invoice_id, p.method_id, p.payment_id, p.kind, p.status, p.provider,
    p.currency, p.amount, p.refunded, p.decline_code, p.created_at, p.settled_at
from payment p
where p.tenant_id = :tenant_id and p.id < :before
    and (:invoice_id::uuid is null or p.invoice_id = :invoice_id::uuid)
order by p.id desc limit :limit
