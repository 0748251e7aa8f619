-- expect: one NOT_FOUND "No such event is parked."
select subscription, event_id, lane, seq, tenant_id, subject_id, type, at, trace, payload,
    error, parked_at
from parked where subscription = :subscription and event_id = :event_id
