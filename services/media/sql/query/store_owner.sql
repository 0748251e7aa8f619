-- Which store the rows are about, and since when; nothing where it is not known yet.
select id, created_at from store_directory
