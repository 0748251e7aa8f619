-- Whoever claimed it before never came to say so in a bucket.
-- expect: one CONFLICT
update store_directory set id = :id, created_at = :now
where id = :before and not marked
