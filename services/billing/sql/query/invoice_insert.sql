-- A new invoice, with all of it that will never change in its document.
insert into invoice (tenant_id, id, version, place, number, status, currency, net, tax,
    total, from_balance, carried, carried_on, amount_paid, amount_credited, amount_due,
    returned, in_balance, attempts, next_attempt_at, decline_code, document, credits,
    covers_until, issued_at, due_at, paid_at, voided_at, created_at, updated_at)
values (:tenant_id, :id, :version, :place, :number, :status, :currency, :net, :tax,
    :total, :from_balance, :carried, :carried_on, :amount_paid, :amount_credited,
    :amount_due, :returned, :in_balance, :attempts, :next_attempt_at, :decline_code,
    :document, :credits::uuid[], :covers_until, :issued_at, :due_at, :paid_at,
    :voided_at, :created_at, :updated_at)
