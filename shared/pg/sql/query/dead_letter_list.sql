-- What is parked, in order, after an event (nil: from the start).
select subscription, event_id, lane, seq, tenant_id, subject_id, type, at, trace, payload,
    error, parked_at
from parked
where (:subscription::text = '' or subscription = :subscription::text)
    and event_id > :after::uuid
order by event_id
limit :most
