-- Whether a writer still is the one.
-- expect: one CONFLICT "Another request has taken over this upload."
select id from upload
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and holder = :holder
