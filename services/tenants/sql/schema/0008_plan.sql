-- What billing told: of each plan its features, and of each organisation its plan and
-- what it was given beside. Copies, so that the mesh obeys them without billing.
create table plan_directory (
    plan     text collate "C" not null,
    version  bigint not null,  -- the catalogue's
    fallback boolean not null, -- of whoever has none
    document bytea not null,   -- billing.v1.PlanEvent
    constraint plan_directory_pkey primary key (plan)
);
comment on table plan_directory is 'class: directory; app: select';

create table plan_copy (
    tenant_id uuid not null,
    version   bigint not null,
    plan      text collate "C", -- null: the fallback
    document  bytea not null,   -- billing.v1.EntitlementsEvent
    constraint plan_copy_pkey primary key (tenant_id)
);
comment on table plan_copy is 'class: tenant; app: select';
