-- The account as it becomes, if it still is what was read.
-- expect: one PRECONDITION
update subscription set version = :version, status = :status, plan = :plan,
    price = :price, seats = :seats::integer, period_end = :period_end::timestamptz,
    due_at = :due_at::timestamptz, state = :state,
    currency = :currency, balance = :balance, carried = :carried, coupon = :coupon,
    coupon_left = :coupon_left, clock_at = :clock_at,
    next_invoice = :next_invoice, next_credit_note = :next_credit_note,
    updated_at = :now::timestamptz
where tenant_id = :tenant_id and version = :version::bigint - 1
