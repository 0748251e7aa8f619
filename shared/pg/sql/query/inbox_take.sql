-- Owns what lanes it can, and takes what is new of their events into the inbox. First
-- the owned lanes with their places, then the new events; waits: an earlier event of
-- the same subject is parked.
with owned as materialized (
    select lane, seq, epoch from event_cursor
    where subscription = :subscription::text and lane = any (:lanes::int[])
    order by lane
    for update skip locked
), told as (
    select e.lane, e.seq, e.event_id, e.subject_id
    from unnest(:event_lanes::int[], :event_seqs::bigint[], :event_ids::uuid[],
            :subject_ids::uuid[]) as e (lane, seq, event_id, subject_id)
        join owned on owned.lane = e.lane and owned.seq < e.seq
), fresh as (
    insert into inbox (subscription, event_id, lane, seq)
    select :subscription::text, event_id, lane, seq from told
    on conflict do nothing
    returning event_id
)
select lane::int as lane, seq, epoch, null::uuid as event_id, false as waits from owned
union all
select told.lane, told.seq, 0, told.event_id, exists (select from parked p
    where p.subscription = :subscription::text and p.subject_id = told.subject_id)
from told join fresh on fresh.event_id = told.event_id
