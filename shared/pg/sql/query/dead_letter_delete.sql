-- expect: one CONFLICT "The event was redriven or skipped meanwhile."
delete from parked where subscription = :subscription and event_id = :event_id
