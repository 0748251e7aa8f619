-- Every lane's numbers, and since when the oldest event waits for one. Plain: it takes
-- no lock, so that asking once a second costs next to nothing.
select h.lane, h.last_seq, h.first_seq, h.epoch,
    (select o.at from outbox o where o.lane = h.lane order by o.id limit 1) as oldest_at
from event_head h
order by h.lane
