-- A movement; its entries follow in the same batch.
insert into ledger_transaction (tenant_id, id, at, currency, cause, cause_id)
values (:tenant_id, :id, :at::timestamptz, :currency, :cause, :cause_id)
