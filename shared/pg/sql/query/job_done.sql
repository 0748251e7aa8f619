-- Jobs that are done go. Gives those that were not this worker's any more.
with done as (
    select d.id, d.token from unnest(:ids::uuid[], :tokens::uuid[]) as d (id, token)
), gone as (
    delete from job using done
    where job.id = done.id and job.lease_token = done.token and job.state = 'running'
    returning job.id
)
select done.id from done where not exists (select from gone where gone.id = done.id)
