-- A draft, made anew as it is final. The account's version guards it.
-- expect: one INTERNAL
update invoice set version = :version, number = :number, status = :status,
    currency = :currency, net = :net, tax = :tax, total = :total,
    from_balance = :from_balance, carried = :carried, carried_on = :carried_on,
    amount_paid = :amount_paid, amount_credited = :amount_credited,
    amount_due = :amount_due, returned = :returned, in_balance = :in_balance,
    attempts = :attempts, next_attempt_at = :next_attempt_at,
    decline_code = :decline_code, document = :document, credits = :credits::uuid[],
    covers_until = :covers_until, issued_at = :issued_at,
    due_at = :due_at, paid_at = :paid_at, voided_at = :voided_at,
    updated_at = :updated_at
where tenant_id = :tenant_id and id = :id and place = :place and status = 'draft'
