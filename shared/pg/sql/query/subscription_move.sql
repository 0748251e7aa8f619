update event_subscription set state = :state, after_aggregate = :after_aggregate,
    after_part = :after_part
where subscription = :subscription
