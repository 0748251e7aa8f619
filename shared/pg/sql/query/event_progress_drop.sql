-- A subscriber that is no more: its place holds nothing back.
delete from event_progress where service = :service and subscription = :subscription
