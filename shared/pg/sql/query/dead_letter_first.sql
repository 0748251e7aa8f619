-- The first parked event of a subject.
select subscription, event_id, lane, seq, tenant_id, subject_id, type, at, trace, payload,
    error, parked_at
from parked
where subscription = :subscription::text and subject_id = :subject_id::uuid
order by seq
limit 1
