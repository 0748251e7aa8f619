-- An upload becomes a file, once. Nothing can be added to it, so whoever holds it has gone.
-- expect: one CONFLICT "The upload has ended meanwhile."
update upload set finished_at = :now, reserved = :reserved::bigint,
    length = received, head = nullif(:head::bytea, ''), generation = generation + 1, holder = null,
    request_key = case when :told::boolean then null else request_key end
where tenant_id = :tenant_id and id = :id and finished_at is null
    and received = coalesce(length, received)
