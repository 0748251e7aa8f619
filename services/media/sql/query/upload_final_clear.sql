-- A final upload that has expired is in nobody's way.
delete from upload
where tenant_id = :tenant_id and final_key = :final_key and expires_at <= :now
