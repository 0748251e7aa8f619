-- How large the ledger is.
select (select count(*) from ledger_transaction
        where (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)) as transactions,
    (select count(*) from ledger_entry
        where (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)) as entries
