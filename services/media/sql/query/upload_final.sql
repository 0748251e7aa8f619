-- The final upload that was asked for in the same words before.
select id, received, expires_at
from upload
where tenant_id = :tenant_id and final_key = :final_key and expires_at > :now
