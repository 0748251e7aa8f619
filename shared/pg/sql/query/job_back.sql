-- Running jobs become scheduled, ready, dead or cancelled. A key is taken again only
-- where no other job of it has come to wait meanwhile. Gives those that were not this
-- worker's any more. Only what runs has a token; each job is found by its id, and not
-- among all that run.
with back as (
    select b.id, b.token, b.state, b.delay_ms, b.error, b.uncounted, b.ending
    from unnest(:ids::uuid[], :tokens::uuid[], :states::text[], :delays_ms::bigint[],
        :errors::text[], :uncounted::integer[], :endings::text[])
        as b (id, token, state, delay_ms, error, uncounted, ending)
), mine as (
    select j.id, back.token, back.delay_ms, nullif(back.error, '') as error,
        back.uncounted, back.state in ('ready', 'scheduled') as again,
        case when j.cancel and back.state = 'scheduled' then 'ready'
            else back.state end as state,
        case when j.cancel and back.state in ('ready', 'scheduled') then 'cancelled'
            else nullif(back.ending, '') end as ending,
        case when back.state in ('ready', 'scheduled') and (exists (select from job o
                where o.kind = j.kind and o.tenant_id = j.tenant_id and o.key = j.key
                and o.state in ('ready', 'scheduled'))
            or row_number() over (partition by j.kind, j.tenant_id, j.key order by j.id)
                > 1) and j.key is not null
            then null else j.key end as key
    from back cross join lateral (select r.id, r.kind, r.tenant_id, r.key, r.cancel,
            r.lease_token, r.lease_until
        from job r where r.id = back.id offset 0) j
    where j.lease_token = back.token and (not :lapsed::boolean or j.lease_until < now())
), moved as (
    update job set state = mine.state, ending = mine.ending, key = mine.key,
        error = coalesce(mine.error, job.error),
        attempt = greatest(0, job.attempt - mine.uncounted),
        run_at = case when mine.again
            then now() + mine.delay_ms * interval '1 millisecond' else job.run_at end,
        ended_at = case when mine.again then null else now() end,
        lease_token = null, lease_until = null
    from mine where job.id = mine.id and job.lease_token = mine.token
    returning job.id
)
select back.id from back where not exists (select from moved where moved.id = back.id)
