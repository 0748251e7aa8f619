-- Owns what lanes it can, and takes what is new of their events into the inbox: the
-- owned lanes with their places; the new events; those that are applied again (see
-- cursor_replay), which may be new as well; (waits) those with an earlier event of their
-- subject parked; and (late) those of a tenant that is erased here. No joins between them: the lists are long, and plans made for
-- short ones.
with owned as materialized (
    select lane, seq, epoch, again_after, reached from event_cursor
    where subscription = :subscription::text and lane = any (:lanes::int[])
    order by lane
    for update skip locked
), told as materialized (
    select e.lane, e.seq, e.event_id, e.subject_id, e.tenant_id,
        e.seq > owned.again_after and e.seq <= owned.reached as again
    from unnest(:event_lanes::int[], :event_seqs::bigint[], :event_ids::uuid[],
            :subject_ids::uuid[], :tenant_ids::uuid[])
            as e (lane, seq, event_id, subject_id, tenant_id)
        join owned on owned.lane = e.lane and owned.seq < e.seq
), fresh as (
    insert into inbox (subscription, event_id, lane, seq)
    select :subscription::text, event_id, lane, seq from told
    on conflict do nothing
    returning lane, seq, event_id
)
select lane::int as lane, seq, epoch, null::uuid as event_id, false as waits,
    false as late
from owned
union all
select lane, seq, 0, event_id, false, false from fresh
union all
select lane, seq, 0, event_id, false, false from told where again
union all
select lane, seq, 0, event_id, true, false from told
where exists (select from parked p
    where p.subscription = :subscription::text and p.subject_id = told.subject_id)
union all
select lane, seq, 0, event_id, false, true from told
where exists (select from erasure e where e.tenant_id = told.tenant_id)
