update parked set error = :error
where subscription = :subscription and event_id = :event_id
