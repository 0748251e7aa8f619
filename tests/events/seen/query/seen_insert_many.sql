-- What a subscriber with much to do writes: one statement for a tenant's events.
insert into seen (tenant_id, event_id, subject_id, lane, seq, n, who)
select :tenant_id, event_id, subject_id, lane, seq, n, :who
from unnest(:event_ids::uuid[], :subject_ids::uuid[], :lanes::bigint[], :seqs::bigint[],
    :ns::bigint[]) as e (event_id, subject_id, lane, seq, n)
