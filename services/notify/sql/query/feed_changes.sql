-- Whose feed went on after a number.
select number, tenant_id, account_id from feed_change_directory
where number > :after
order by number
limit :limit
