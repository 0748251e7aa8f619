-- Every lane's last number that was given to what happened before a moment.
select h.lane, h.first_seq, h.epoch, coalesce((select l.seq from event_log l
    where l.lane = h.lane and l.at < :before::timestamptz
    order by l.seq desc limit 1), h.first_seq - 1) as last_seq
from event_head h
order by h.lane
