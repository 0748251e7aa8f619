-- Of each subject with parked events the first, after a subject.
select distinct on (subject_id) subscription, event_id, lane, seq, tenant_id, subject_id,
    type, at, trace, payload, error, parked_at
from parked
where subscription = :subscription::text and subject_id > :after::uuid
order by subject_id, seq
limit :most
