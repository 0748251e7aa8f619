-- Gives the next numbers to what waits in these lanes, oldest first, and puts it into
-- the log. The head's row lock elects who does so: a lane that another process has is
-- passed over (and not in the answer). What commits later gets a later number. A row is
-- found again by its place: by (lane, id) a plan may read all that waits for each.
with head as materialized (
    select lane, last_seq, epoch from event_head
    where lane = any (:lanes::int[])
    order by lane
    for update skip locked
), taken as (
    delete from outbox o
    using head h, lateral (select w.ctid as place from outbox w where w.lane = h.lane
        order by w.id limit :most::int) next
    where o.ctid = next.place
    returning o.lane, o.id, o.tenant_id, o.event_id, o.subject_id, o.type, o.at, o.trace,
        o.payload
), told as (
    insert into event_log (lane, seq, day, tenant_id, event_id, subject_id, type, at,
        trace, payload)
    select t.lane, h.last_seq + row_number() over (partition by t.lane order by t.id),
        (now() at time zone 'utc')::date, t.tenant_id, t.event_id, t.subject_id, t.type,
        t.at, t.trace, t.payload
    from taken t join head h on h.lane = t.lane
    returning lane, seq
), lane as (
    select lane, max(seq) as last_seq, count(*) as moved from told group by lane
), kept as (
    update event_head h set last_seq = lane.last_seq
    from lane where h.lane = lane.lane
    returning h.lane
)
select head.lane, coalesce(lane.last_seq, head.last_seq) as last_seq, head.epoch,
    coalesce(lane.moved, 0) as moved
from head left join lane on lane.lane = head.lane
