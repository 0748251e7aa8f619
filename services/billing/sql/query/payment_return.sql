-- More of a payment goes back, or, below 0, less: never more than was paid.
-- expect: one INTERNAL
update payment set refunded = refunded + :amount::bigint
where tenant_id = :tenant_id and id = :id
