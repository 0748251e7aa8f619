-- Begins a subscription at these numbers; who comes second finds it made.
with made as (
    insert into event_subscription (subscription, producer, state, after_aggregate,
        after_part)
    values (:subscription::text, :producer::text, :state::text,
        '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000')
    on conflict do nothing
    returning subscription
)
insert into event_cursor (subscription, lane, seq, epoch)
select made.subscription, c.lane, c.seq, :epoch::int
from made, unnest(:lanes::int[], :seqs::bigint[]) as c (lane, seq)
