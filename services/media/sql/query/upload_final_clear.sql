-- A final upload that has expired, or of which nothing became or is left, is in nobody's
-- way.
delete from upload u
where u.tenant_id = :tenant_id and u.final_key = :final_key
    and not upload_is_pending(u.tenant_id, u.id)
    and (u.expires_at <= :now
        or not exists (select 1 from file f where f.tenant_id = u.tenant_id
            and f.id = u.id and coalesce(f.kept_state, f.state) <> 'rejected'))
