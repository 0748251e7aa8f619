-- What product analytics is told of organisations that consent.
alter table settings add column product_events boolean;

-- On its way there.
create table product_event (
    tenant_id uuid not null,
    id        uuid not null, -- the event's
    added_at  timestamptz not null,
    body      text not null,
    constraint product_event_pkey primary key (tenant_id, id)
);
create index product_event_by_age on product_event (added_at);
comment on table product_event is 'class: tenant; app: select';
