-- Payments, refunds and disputes whose money is not in the ledger as they are, and money
-- in the ledger that is of none of them.
select coalesce(l.tenant_id, p.tenant_id) as tenant_id, 'payment' as what,
    coalesce(l.cause_id, p.id) as id, coalesce(l.currency, p.currency) as currency,
    coalesce(l.cash, 0)::bigint as booked, coalesce(p.cash, 0)::bigint as stands
from (
    select t.tenant_id, t.cause_id, t.currency,
        sum(t.amounts[array_position(t.accounts, 'cash')]) as cash
    from ledger_transaction t
    where 'cash' = any (t.accounts)
        and (:tenant_id::uuid is null or t.tenant_id = :tenant_id::uuid)
    group by t.tenant_id, t.cause_id, t.currency
) l
full join (
    select tenant_id, id, currency,
        case when kind = 'payment' and status = 'succeeded' then amount
            when kind = 'refund' and status <> 'failed' then -amount
            when kind = 'dispute' and status in ('pending', 'lost') then -amount
            else 0 end as cash
    from payment where :tenant_id::uuid is null or tenant_id = :tenant_id::uuid
) p on p.tenant_id = l.tenant_id and p.id = l.cause_id and p.currency = l.currency
where coalesce(l.cash, 0) <> coalesce(p.cash, 0)
limit 100
