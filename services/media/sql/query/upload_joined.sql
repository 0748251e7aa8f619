-- How much of a final upload is put together, as long as its file is to be.
-- expect: one CONFLICT "Another job goes on with this upload, or its file is gone."
update upload set joined = :joined::bigint, hash_state = :hash_state,
    store_state = :store_state
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and exists (select 1 from file where file.tenant_id = :tenant_id and file.id = :id
        and file.sha256 is null
        and coalesce(file.kept_state, file.state) <> 'rejected')
