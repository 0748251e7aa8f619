-- The log of one lane, after a number.
select lane, seq, event_id as id, type, tenant_id, subject_id, at, trace, payload
from event_log
where lane = :lane::int and seq > :after::bigint
order by seq
limit :most
