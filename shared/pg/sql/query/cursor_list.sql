select lane, seq, epoch from event_cursor where subscription = :subscription
order by lane
