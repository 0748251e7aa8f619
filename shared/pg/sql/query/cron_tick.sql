-- Moves a tick on, for one replica only, and adds its job.
with tick as (
    update cron set next_at = :next_at::timestamptz, last_at = :was::timestamptz
    where name = :name::text and next_at = :was::timestamptz
    returning name
)
insert into job (id, tenant_id, kind, state, priority, run_at, attempt, attempts, key,
    payload, trace, made_at)
select :id::uuid, '00000000-0000-0000-0000-000000000000', :kind::text, 'ready', 0, now(),
    0, :attempts::integer, 'cron:' || name, '', :trace::bytea, now()
from tick
on conflict do nothing
