-- Transactions that do not add up, and accounts that do not say what the rows do: what is
-- due of open invoices, what is kept as credit, what is carried on.
(select t.tenant_id, 'transaction' as what, t.id, t.currency,
    ledger_sum(t.amounts)::bigint as booked, 0::bigint as stands
from ledger_transaction t
where (:tenant_id::uuid is null or t.tenant_id = :tenant_id::uuid)
    and ledger_sum(t.amounts) <> 0
limit 100)
union all
(select coalesce(l.tenant_id, r.tenant_id), coalesce(l.account, r.account), null,
    coalesce(l.currency, r.currency), coalesce(l.amount, 0), coalesce(r.amount, 0)
from (
    select e.tenant_id, e.currency, e.account, sum(e.amount)::bigint as amount
    from ledger_entry e
    where e.account in ('receivable', 'credit', 'carried')
        and (:tenant_id::uuid is null or e.tenant_id = :tenant_id::uuid)
    group by e.tenant_id, e.currency, e.account
) l
full join (
    select i.tenant_id, i.currency, 'receivable' as account,
        sum(i.amount_due)::bigint as amount
    from invoice i where i.status = 'open'
        and (:tenant_id::uuid is null or i.tenant_id = :tenant_id::uuid)
    group by i.tenant_id, i.currency
    union all
    select s.tenant_id, s.currency, 'credit', -s.balance from subscription s
    where s.balance <> 0 and (:tenant_id::uuid is null or s.tenant_id = :tenant_id::uuid)
    union all
    select s.tenant_id, s.currency, 'carried', s.carried from subscription s
    where s.carried <> 0 and (:tenant_id::uuid is null or s.tenant_id = :tenant_id::uuid)
) r on r.tenant_id = l.tenant_id and r.currency = l.currency and r.account = l.account
where coalesce(l.amount, 0) <> coalesce(r.amount, 0)
limit 100)
