-- Leaves with the fact: the event waits here for its number.
insert into outbox (lane, tenant_id, event_id, subject_id, type, at, trace, payload)
values (:lane, :tenant_id, :event_id, :subject_id, :type, :at, :trace, :payload)
