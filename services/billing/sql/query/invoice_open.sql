-- Invoices of an organisation that are not settled, or pay for what is not over yet.
select i.place, i.id as "invoice.id", i.version as "invoice.version",
    i.number as "invoice.number", i.status as "invoice.status",
    i.currency as "invoice.currency", i.net as "invoice.net",
    i.tax as "invoice.tax", i.total as "invoice.total",
    i.from_balance as "invoice.from_balance", i.carried as "invoice.carried",
    i.carried_on as "invoice.carried_on",
    i.amount_paid as "invoice.amount_paid",
    i.amount_credited as "invoice.amount_credited", i.amount_due as "invoice.amount_due",
    i.attempts as "invoice.attempts", i.next_attempt_at as "invoice.next_attempt_at",
    i.decline_code as "invoice.decline_code", i.issued_at as "invoice.issued_at",
    i.due_at as "invoice.due_at", i.created_at as "invoice.created_at",
    i.paid_at as "invoice.paid_at",
    i.voided_at as "invoice.voided_at", i.returned, i.in_balance, u.id as payment_id,
    u.status as payment_status, u.action_url
from invoice i
left join lateral (select p.id, p.status, p.action_url from payment p
    where p.tenant_id = i.tenant_id and p.invoice_id = i.id and p.kind = 'payment'
        and p.settled_at is null
    order by p.status = 'pending' desc, p.id desc limit 1) u on true
where i.tenant_id = :tenant_id and (i.status in ('draft', 'open', 'uncollectible')
    or i.covers_until > coalesce((select s.clock_at from subscription s
        where s.tenant_id = :tenant_id), :now::timestamptz))
order by i.place desc limit 60
