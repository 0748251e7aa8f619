-- Transactions that do not add up.
select t.tenant_id, 'transaction' as what, t.id, t.currency,
    ledger_sum(t.amounts)::bigint as booked, 0::bigint as stands
from ledger_transaction t
where (:tenant_id::uuid is null or t.tenant_id = :tenant_id::uuid)
    and ledger_sum(t.amounts) <> 0
limit 100
