-- What of an invoice changes once it is final. The account's version guards it.
-- expect: one INTERNAL
update invoice set version = :version, status = :status, number = :number,
    carried_on = :carried_on, amount_paid = :amount_paid,
    amount_credited = :amount_credited, amount_due = :amount_due, returned = :returned,
    in_balance = :in_balance, attempts = :attempts, next_attempt_at = :next_attempt_at,
    decline_code = :decline_code, paid_at = :paid_at, voided_at = :voided_at,
    updated_at = :updated_at
where tenant_id = :tenant_id and id = :id
