-- Some of them go.
with gone as (
    delete from link where (tenant_id, id) in (
        select tenant_id, id from link where expires_at < :before limit :limit)
    returning 1)
select count(*) as count from gone
