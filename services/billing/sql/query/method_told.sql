-- That a card is about to expire is told once.
-- expect: one INTERNAL
update payment_method set expiring_told = true where tenant_id = :tenant_id and id = :id
