-- Whether there is room for one more way to pay.
-- expect: one QUOTA "This organisation has as many ways to pay as it may (20); remove one first."
select 1 where (select count(*) from payment_method where tenant_id = :tenant_id) < 20
