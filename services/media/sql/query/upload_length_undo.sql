-- The length that came with a request which was refused is none; what it had reserved is
-- free.
-- expect: one CONFLICT "The upload has changed meanwhile."
update upload set length = null, reserved = :reserved::bigint
where tenant_id = :tenant_id and id = :id and length = :length::bigint
    and received < length and reserved = :had_reserved::bigint and finished_at is null
    and holder is null
