insert into seen (tenant_id, event_id, subject_id, lane, seq, n, who)
values (:tenant_id, :event_id, :subject_id, :lane, :seq, :n, :who)
