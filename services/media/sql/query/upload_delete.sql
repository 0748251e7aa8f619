-- An upload ends, as it was read.
-- expect: one CONFLICT "The upload has changed meanwhile."
delete from upload
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and reserved = :reserved::bigint and (finished_at is not null) = :finished::boolean
