-- What other services wrote into their audit chains of a tenant, as they told it: the
-- tenant's audit log is one list. Append-only like the chains; each chain's hashes are
-- verified where it is kept. It stays when a tenant ends, as this service's chain does.
create table audit_copy (
    tenant_id    uuid not null,
    id           uuid not null,
    chain        text not null,
    number       bigint not null,
    created_at   timestamptz not null,
    action       text not null,
    actor_kind   text,
    actor_id     uuid,
    subject_kind text not null,
    subject_id   uuid,
    hash         bytea not null,
    detail       text,
    address      text not null,
    constraint audit_copy_pkey primary key (tenant_id, id)
);
comment on table audit_copy is 'class: tenant; app: select; sys: insert';
