-- One process at a time reads the snapshot.
select state, after_aggregate, after_part from event_subscription
where subscription = :subscription for update skip locked
