-- The first end is the one that is told.
update erasure set finished_at = now()
where tenant_id = :tenant_id and finished_at is null
returning gone, began_at
