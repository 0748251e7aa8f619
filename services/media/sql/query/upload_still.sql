-- Whether a writer still is the one.
-- expect: one CONFLICT "Another request goes on with this upload."
select id from upload
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and holder = :holder
