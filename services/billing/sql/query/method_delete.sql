-- Removes a way to pay, unless a payment with it is to be made yet.
-- expect: one CONFLICT "A payment with it is under way."
delete from payment_method
where tenant_id = :tenant_id and id = :id and not exists (select 1 from payment p
    where p.tenant_id = :tenant_id and p.method_id = :id and p.status = 'pending')
