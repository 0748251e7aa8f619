-- How large the ledger is.
select count(*) as transactions, coalesce(sum(cardinality(amounts)), 0)::bigint as entries
from ledger_transaction where (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)
