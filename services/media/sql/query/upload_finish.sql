-- An upload becomes a file, once.
-- expect: one CONFLICT "The upload has ended meanwhile."
update upload set finished_at = :now, reserved = :reserved::bigint
where tenant_id = :tenant_id and id = :id and finished_at is null
    and received = length and holder is null
