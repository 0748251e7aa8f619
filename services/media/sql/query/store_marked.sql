-- The bucket says that it is this one.
-- expect: one CONFLICT
update store_directory set marked = true where id = :id
