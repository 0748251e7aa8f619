-- Ends a tenant's jobs, all but the one that erases it: those that wait go, those that run
-- are asked to end. Gives how many there were: where none was, none can come any more.
with gone as (
    delete from job
    where tenant_id = :tenant_id::uuid and kind <> :but::text and state <> 'running'
        and ctid = any (array(select ctid from job
            where tenant_id = :tenant_id::uuid and kind <> :but::text
                and state <> 'running'
            limit :most::integer))
), asked as (
    update job set cancel = true
    where tenant_id = :tenant_id::uuid and kind <> :but::text and state = 'running'
        and not cancel
)
select count(*) filter (where state <> 'running') as waiting,
    count(*) filter (where state = 'running') as running
from job
where tenant_id = :tenant_id::uuid and kind <> :but::text
