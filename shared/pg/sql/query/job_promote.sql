-- Scheduled jobs whose time has come are ready.
with due as materialized (
    select id from job where state = 'scheduled' and run_at <= now()
    order by run_at limit 1000 for update skip locked
), moved as (
    update job set state = 'ready' from due where job.id = due.id returning 1
)
select count(*) as n from moved
