-- An organisation takes a coupon, if it is not used up.
-- expect: one INVALID "This coupon is used up."
insert into coupon_directory (code, tenant_id, taken_at)
select :code::text, :tenant_id::uuid, :now::timestamptz
where :most::bigint is null
    or (select count(*) from coupon_directory where code = :code::text) < :most::bigint
on conflict do nothing
returning 1 as n
