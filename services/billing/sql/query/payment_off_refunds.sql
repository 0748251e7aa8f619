-- More was booked against the account refunds because of it, or less.
-- expect: one INTERNAL
update payment set off_refunds = off_refunds + :amount::bigint
where tenant_id = :tenant_id and id = :id
