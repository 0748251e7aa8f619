select service, subscription, lane, seq from event_progress
order by service, subscription, lane
