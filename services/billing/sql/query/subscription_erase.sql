-- Of an organisation that is erased: what is owed on either side and the numbers of its
-- series stay, what it was subscribed to goes.
update subscription set version = version + 1, status = null, plan = null, price = null,
    seats = null, period_end = null, due_at = null, state = '', coupon = null,
    coupon_left = null, clock_at = null
where tenant_id = :tenant_id
