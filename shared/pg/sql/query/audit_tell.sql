-- Right behind audit_add, in its transaction: tells the entry that the chain ends with,
-- whose head is locked. To the message go the two fields that are known only here:
-- number (11, fixed64: little-endian) and hash (12, 32 bytes).
insert into outbox (lane, tenant_id, event_id, subject_id, type, at, trace, payload)
select :lane, h.tenant_id, :event_id, h.tenant_id, :type, :at, :trace,
    :payload::bytea || '\x59'::bytea
        || (select string_agg(substring(int8send(h.seq) from i for 1), '' order by i desc)
            from generate_series(1, 8) as i)
        || '\x6220'::bytea || h.hash
from audit_head h
where h.tenant_id = :tenant_id
