-- How many links are past their time, of all organisations.
select count(*) as count from link where expires_at < :before
