insert into parked (subscription, event_id, lane, seq, tenant_id, subject_id, type, at,
    trace, payload, error, parked_at)
values (:subscription, :event_id, :lane, :seq, :tenant_id, :subject_id, :type, :at, :trace,
    :payload, :error, :parked_at)
on conflict do nothing
