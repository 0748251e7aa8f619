-- Until the commit nobody else takes this coupon: the statement after this one counts.
select pg_advisory_xact_lock(hashtextextended('billing.coupon:' || :code::text, 0)) is null
    as locked
