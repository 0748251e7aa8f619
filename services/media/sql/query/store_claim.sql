-- The first to come says which folder or bucket it is; from then on it must be that one.
-- expect: one CONFLICT
insert into store_directory (id, created_at, marked) values (:id, :now, :marked)
on conflict (one) do update set marked = store_directory.marked or excluded.marked
    where store_directory.id = excluded.id
