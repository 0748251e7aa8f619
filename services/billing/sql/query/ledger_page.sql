-- The entries of the next transactions, each whole.
select t.tenant_id, t.id as transaction_id, t.at, t.currency, t.cause, t.cause_id,
    e.account, e.amount
from (
    select tenant_id, id, at, currency, cause, cause_id, accounts, amounts
    from ledger_transaction
    where (tenant_id, id) > (:after_tenant_id::uuid, :after_id::uuid)
        and (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)
    order by tenant_id, id limit :limit
) t, unnest(t.accounts, t.amounts) with ordinality as e (account, amount, number)
order by t.tenant_id, t.id, e.number
