-- Invoices without their lines, the newest first.
select i.id, i.version, i.number, i.status, i.currency, i.net, i.tax, i.total,
    i.from_balance, i.carried, i.carried_on, i.amount_paid, i.amount_credited,
    i.amount_due, i.attempts, i.next_attempt_at, i.decline_code, i.issued_at, i.due_at, i.paid_at, i.voided_at,
    i.created_at, i.updated_at
from invoice i
where i.tenant_id = :tenant_id and i.id < :before
    and (:status::text is null or i.status = :status::text)
order by i.id desc limit :limit
