-- Whether it is known of no folder that the bytes lie in it.
-- expect: one CONFLICT
select true as fine where not exists (select 1 from store_directory)
