-- How far a subscriber says it is. It may have gone back.
insert into event_progress (service, subscription, lane, seq, at)
select :service::text, :subscription::text, p.lane, p.seq, now()
from unnest(:lanes::int[], :seqs::bigint[]) as p (lane, seq)
on conflict (service, subscription, lane) do update
set seq = excluded.seq, at = excluded.at
where event_progress.seq <> excluded.seq
