-- What its provider is still to be asked for: payments and refunds whose outcome is not
-- known, and what waits for its payer though nobody owes it any more.
select p.id as payment_id, p.status = 'requires_action' as cancel
from payment p
where p.tenant_id = :tenant_id and p.kind in ('payment', 'refund')
    and p.settled_at is null
    and (p.status = 'pending' or p.status = 'requires_action' and not exists (
        select from invoice i where i.tenant_id = p.tenant_id and i.id = p.invoice_id
            and i.status in ('open', 'uncollectible')))
order by p.id limit :limit
