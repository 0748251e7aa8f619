-- The length of an upload comes late, and once. Whoever writes it meanwhile commits
-- nothing any more, and is told so.
-- expect: one CONFLICT "The upload has changed meanwhile."
update upload set length = :length::bigint, reserved = :reserved::bigint,
    generation = generation + 1, holder = null
where tenant_id = :tenant_id and id = :id and uploader = :uploader
    and received = :offset::bigint and expires_at > :now and finished_at is null
    and length is null and reserved = :had_reserved::bigint
