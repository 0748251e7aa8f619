-- A way to pay, with what its provider knows it by.
-- expect: one NOT_FOUND "There is no such way to pay."
select id as "method.id", version as "method.version", provider as "method.provider",
    kind as "method.kind", status as "method.status", brand as "method.brand",
    last4 as "method.last4", expiry_month as "method.expiry_month",
    expiry_year as "method.expiry_year", is_default as "method.is_default",
    next_action_url as "method.next_action_url", created_at as "method.created_at",
    updated_at as "method.updated_at", reference, expiring_told
from payment_method
where tenant_id = :tenant_id and id = :id
