-- The first to come says which folder it is; from then on it must be that one.
-- expect: one CONFLICT
insert into store_directory (id, created_at) values (:id, :now)
on conflict (one) do update set id = excluded.id where store_directory.id = excluded.id
