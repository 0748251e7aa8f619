-- A sweep begins, or the operator says that the database was restored.
-- expect: one CONFLICT
update store_directory set sweeps = :sweeps where sweeps = :before::bigint
