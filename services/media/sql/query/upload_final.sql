-- The final upload that was asked for in the same words before, unless nothing became of
-- it, or its file was purged.
select u.id, u.received, u.expires_at
from upload u
where u.tenant_id = :tenant_id and u.final_key = :final_key
    and (u.expires_at > :now or upload_is_pending(u.tenant_id, u.id))
    and exists (select 1 from file f where f.tenant_id = u.tenant_id and f.id = u.id
        and coalesce(f.kept_state, f.state) <> 'rejected')
