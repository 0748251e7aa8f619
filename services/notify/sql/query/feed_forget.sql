-- Forgets a piece of what nobody can ask for any more.
with old as (
    delete from feed where (tenant_id, id) in (
        select tenant_id, id from feed where created_at < :before order by created_at limit :limit)
), changes as (
    delete from feed_change_directory where number in (
        select number from feed_change_directory where created_at < :before
        order by created_at limit :limit)
    returning number
)
select count(*) as number from changes having count(*) > 0
