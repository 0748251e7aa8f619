-- Jobs: work that nobody waits for (shared/jobs). A job is scheduled (its time has
-- not come), ready, running under a lease, or ended; one that is done has no row.
-- Claims and polls read the partial indexes alone, so what is scheduled or ended
-- costs them nothing.
create table job (
    id uuid not null primary key,
    tenant_id uuid not null,
    kind text not null,
    state text not null,
    priority integer not null,
    run_at timestamptz not null,
    attempt integer not null,
    attempts integer not null,
    key text,
    payload bytea not null,
    trace bytea not null,
    made_at timestamptz not null,
    lease_token uuid,
    lease_until timestamptz,
    -- What is left is to tell the kind that it is 'dead' or 'cancelled'.
    ending text,
    -- The operator wants a running one to end.
    cancel boolean not null default false,
    error text,
    ended_at timestamptz,
    constraint job_state_check
        check (state in ('scheduled', 'ready', 'running', 'dead', 'cancelled')),
    constraint job_ending_check check (ending in ('dead', 'cancelled')),
    constraint job_key_check check (octet_length(key) <= 200),
    constraint job_payload_check check (octet_length(payload) <= 65536)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 1);
comment on table job is 'class: system';

create index job_ready on job (kind, tenant_id, priority desc, run_at, id)
    where state = 'ready';
create index job_scheduled on job (run_at) where state = 'scheduled';
create index job_running on job (kind, tenant_id) where state = 'running';
create index job_ended on job (id) where state in ('dead', 'cancelled');
create unique index job_key on job (kind, tenant_id, key)
    where key is not null and state in ('ready', 'scheduled');

-- How many turns a tenant has where others have one; no row: 1. A service writes it
-- from what it knows of the tenant's plan.
create table job_weight (
    tenant_id uuid not null primary key,
    weight integer not null,
    constraint job_weight_check check (weight between 1 and 100)
);
comment on table job_weight is 'class: system; app: none';

-- Work by the clock: one row for each of the service's crons.
create table cron (
    name text not null primary key,
    spec text not null,
    next_at timestamptz not null,
    last_at timestamptz
);
comment on table cron is 'class: system; app: none';
