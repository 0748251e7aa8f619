-- Events: what a service tells (outbox, event_log, event_head, event_progress) and
-- what it applies of others (event_subscription, event_cursor, inbox, parked).

-- What a fact's transaction leaves. The sequencer moves it on within milliseconds, so
-- this table is nearly empty, and is vacuumed by count and not by share.
create table outbox (
    lane smallint not null,
    id bigint generated always as identity,
    tenant_id uuid not null,
    event_id uuid not null,
    subject_id uuid not null,
    type text not null,
    at timestamptz not null,
    trace bytea not null,
    payload bytea not null,
    primary key (lane, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);
comment on table outbox is 'class: system';

-- All that was told, numbered 1, 2, 3 in each lane. day is when it was numbered: a
-- partition is dropped once every subscriber has passed it.
create table event_log (
    lane smallint not null,
    seq bigint not null,
    day date not null,
    tenant_id uuid not null,
    event_id uuid not null,
    subject_id uuid not null,
    type text not null,
    at timestamptz not null,
    trace bytea not null,
    payload bytea not null,
    primary key (lane, seq, day)
) partition by range (day);
comment on table event_log is 'class: system; app: none';
-- For a day that maintain made no partition for.
create table event_log_default partition of event_log default;

-- A lane's last number, and the first that is still kept. Its row lock elects the
-- sequencer and fences it. epoch rises when a restore may give numbers anew.
create table event_head (
    lane smallint not null primary key,
    last_seq bigint not null,
    first_seq bigint not null,
    epoch integer not null
) with (fillfactor = 50);
comment on table event_head is 'class: system; app: none';

-- How far each subscriber said it is; what retention waits for.
create table event_progress (
    service text not null,
    subscription text not null,
    lane smallint not null,
    seq bigint not null,
    at timestamptz not null,
    primary key (service, subscription, lane)
) with (fillfactor = 50);
comment on table event_progress is 'class: system; app: none';

-- What this service subscribes to. state: snapshot (up to the key after), then live.
create table event_subscription (
    subscription text not null primary key,
    producer text not null,
    state text not null check (state in ('snapshot', 'live')),
    after_aggregate uuid not null,
    after_part uuid not null
);
comment on table event_subscription is 'class: system; app: none';

-- The last number of a lane that was applied. Its row lock owns the lane. tries counts
-- the processes that began with what comes next, and died.
create table event_cursor (
    subscription text not null,
    lane smallint not null,
    seq bigint not null,
    epoch integer not null,
    tries integer not null default 0,
    primary key (subscription, lane)
) with (fillfactor = 50);
comment on table event_cursor is 'class: system; app: none';

-- The events that were applied or parked. Ids are of version 7 and so rise with time.
create table inbox (
    subscription text not null,
    event_id uuid not null,
    lane smallint not null,
    seq bigint not null,
    primary key (subscription, event_id)
);
comment on table inbox is 'class: system; app: none';

-- Events that could not be applied, and later ones of their subject, which wait.
create table parked (
    subscription text not null,
    event_id uuid not null,
    lane smallint not null,
    seq bigint not null,
    tenant_id uuid not null,
    subject_id uuid not null,
    type text not null,
    at timestamptz not null,
    trace bytea not null,
    payload bytea not null,
    error text not null,
    parked_at timestamptz not null,
    primary key (subscription, event_id)
);
create index parked_subject on parked (subscription, subject_id, seq);
comment on table parked is 'class: system; app: none';
