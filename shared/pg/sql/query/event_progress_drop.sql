-- A subscriber that is no more: its place, of each lane, holds nothing back.
-- expect: one NOT_FOUND "There is no such subscriber."
with gone as (
    delete from event_progress where service = :service and subscription = :subscription
    returning 1 as lane
)
select 1 as n from gone limit 1
