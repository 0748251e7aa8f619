-- How much of a final upload is put together.
-- expect: one CONFLICT "Another job goes on with this upload."
update upload set joined = :joined::bigint, hash_state = :hash_state,
    store_state = :store_state
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
