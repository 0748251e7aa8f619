-- Which store the rows are about, since when, whether it says so itself, and how often it
-- was swept; nothing where it is not known yet.
select id, created_at, marked, sweeps from store_directory
