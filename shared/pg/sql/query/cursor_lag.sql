-- Each lane's place, and what is parked of it.
select c.lane, c.seq, c.epoch, count(p.event_id) as parked, min(p.at) as oldest_at
from event_cursor c left join parked p
    on p.subscription = c.subscription and p.lane = c.lane
where c.subscription = :subscription
group by c.lane, c.seq, c.epoch
order by c.lane
