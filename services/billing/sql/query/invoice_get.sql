-- An invoice: what never changes of it, and how it stands.
-- expect: one NOT_FOUND "There is no such invoice."
select i.place, i.document, i.id as "invoice.id", i.version as "invoice.version",
    i.number as "invoice.number", i.status as "invoice.status",
    i.carried_on as "invoice.carried_on",
    i.amount_paid as "invoice.amount_paid",
    i.amount_credited as "invoice.amount_credited", i.amount_due as "invoice.amount_due",
    i.attempts as "invoice.attempts", i.next_attempt_at as "invoice.next_attempt_at",
    i.decline_code as "invoice.decline_code", i.paid_at as "invoice.paid_at",
    i.voided_at as "invoice.voided_at", i.updated_at as "invoice.updated_at",
    (select p.action_url from payment p where p.tenant_id = i.tenant_id
        and p.invoice_id = i.id and p.status = 'requires_action'
        order by p.id desc limit 1) as action_url
from invoice i
where i.tenant_id = :tenant_id and i.id = :id
