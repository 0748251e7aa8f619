select state, after_aggregate, after_part from event_subscription
where subscription = :subscription
