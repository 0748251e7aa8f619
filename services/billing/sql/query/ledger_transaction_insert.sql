-- A movement with its entries.
insert into ledger_transaction (tenant_id, id, at, currency, cause, cause_id, accounts,
    amounts)
values (:tenant_id, :id, :at::timestamptz, :currency, :cause, :cause_id, :accounts::text[],
    :amounts::bigint[])
