-- Subjects with parked events, after one.
select distinct subject_id
from parked
where subscription = :subscription::text and subject_id > :after::uuid
order by subject_id
limit :most
