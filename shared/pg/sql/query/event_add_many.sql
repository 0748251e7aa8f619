-- The same for several events of one transaction and tenant.
insert into outbox (lane, tenant_id, event_id, subject_id, type, at, trace, payload)
select e.lane, :tenant_id::uuid, e.event_id, e.subject_id, e.type, :at::timestamptz,
    :trace::bytea, e.payload
from unnest(:lanes::int[], :event_ids::uuid[], :subject_ids::uuid[], :types::text[],
        :payloads::bytea[]) with ordinality
    as e (lane, event_id, subject_id, type, payload, place)
order by e.place
