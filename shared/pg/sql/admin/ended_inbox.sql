-- Applied events that no replay reaches, 30 days old: an id of version 7 begins with its
-- milliseconds. Of each subscription those that come next after $1, where the piece before
-- ended, so that what that emptied is not gone through again.
with place as (
    select split_part($1, ' ', 1) as subscription,
        nullif(split_part($1, ' ', 2), '')::uuid as event_id,
        rpad(lpad(to_hex((extract(epoch from now() - interval '30 days') * 1000)::bigint),
            12, '0'), 32, '0')::uuid as until
), old as materialized (
    select s.subscription, i.event_id, i.at
    from event_subscription s
        cross join lateral (
            select event_id, ctid as at from inbox
            where subscription = s.subscription
                and event_id > case when s.subscription = (select subscription from place)
                    then (select event_id from place)
                    else '00000000-0000-0000-0000-000000000000' end
            order by event_id
            limit 5000) i
    where s.subscription >= (select subscription from place)
        and i.event_id < (select until from place)
    order by s.subscription, i.event_id
    limit 5000
), gone as (
    delete from inbox where ctid = any (array(select at from old)) returning 1
)
select (select count(*) from gone),
    (select subscription || ' ' || event_id from old
        order by subscription desc, event_id desc limit 1)
