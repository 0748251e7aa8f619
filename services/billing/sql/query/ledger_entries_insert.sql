-- The entries of a movement, in their order.
insert into ledger_entry (tenant_id, transaction_id, number, account, amount)
select :tenant_id::uuid, :transaction_id::uuid, e.number, e.account, e.amount
from unnest(:accounts::text[], :amounts::bigint[]) with ordinality
    as e (account, amount, number)
