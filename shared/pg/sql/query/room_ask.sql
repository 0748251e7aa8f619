-- Fails where the disk of the data is full: the sort goes through a temporary file.
select count(*) from (select n from generate_series(1, 5000) as n order by n::text offset 0) as sorted
