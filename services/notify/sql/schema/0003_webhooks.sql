-- Webhooks: an organisation's endpoints, what is on its way to them and each attempt.
create table webhook_endpoint (
    tenant_id       uuid not null,
    id              uuid not null,
    slot            smallint not null, -- 1 to 20: bounds an organisation's endpoints
    version         bigint not null,
    url             text not null,
    event_types     text[] not null,
    description     text,
    status          text not null,
    disabled_reason text,
    disabled_at     timestamptz,
    failing_since   timestamptz, -- of the first failure after the last success
    failures        integer not null default 0, -- in a row
    rests_until     timestamptz, -- nothing is posted before
    secret          bytea not null, -- sealed
    former_secret   bytea, -- sealed; signs as well until then
    former_secret_until timestamptz,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    constraint webhook_endpoint_pkey primary key (tenant_id, id),
    -- raises webhook_endpoint_slot_key: CONFLICT "Another endpoint is being made; try it again."
    constraint webhook_endpoint_slot_key unique (tenant_id, slot),
    constraint webhook_endpoint_slot_check check (slot between 1 and 20),
    constraint webhook_endpoint_status_check check (status in ('enabled', 'disabled'))
);
comment on table webhook_endpoint is 'class: tenant';

-- One event for one endpoint. Rows of endpoints that are gone go with their age.
create table webhook_delivery (
    tenant_id   uuid not null,
    id          uuid not null,
    endpoint_id uuid not null,
    event_id    uuid not null,
    event_type  text not null,
    webhook_id  text not null,
    body        text not null,
    bytes       integer not null, -- of the bodies, those of the attempts too
    status      text not null,
    created_at  timestamptz not null,
    finished_at timestamptz,
    replay_of   uuid,
    constraint webhook_delivery_pkey primary key (tenant_id, id),
    constraint webhook_delivery_status_check
        check (status in ('waiting', 'succeeded', 'failed', 'cancelled'))
);
create index webhook_delivery_by_endpoint on webhook_delivery (tenant_id, endpoint_id, id);
create index webhook_delivery_by_age on webhook_delivery (created_at);
comment on table webhook_delivery is 'class: tenant; app: select, insert, update';

create table webhook_attempt (
    tenant_id       uuid not null,
    delivery_id     uuid not null,
    number          integer not null,
    started_at      timestamptz not null,
    took_ms         integer not null,
    response_status integer,
    response_body   text,
    error           text,
    constraint webhook_attempt_pkey primary key (tenant_id, delivery_id, number)
);
comment on table webhook_attempt is 'class: tenant; app: select, insert';
