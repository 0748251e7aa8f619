-- What every service's schema holds beside its own tables: the function that
-- guards raise with, idempotency records and the audit chain.

-- Called only where a guard failed (see tools/sqlgen). Codes as in error.proto;
-- 100 is "another run of this idempotency key goes on".
create function trl_raise(code integer, statement text, rows bigint) returns boolean
language plpgsql as $$
begin
    if rows > 1 then
        code := 36;
    end if;
    raise exception using errcode = 'TR' || lpad(code::text, 3, '0'),
        message = statement || ': ' || rows || ' rows where one is expected';
end
$$;

-- One row for each WRITE that answered OK: a repeated key gets the same answer.
-- Visible only to its own scope (an account, an API key, or a hash of address and
-- name). Expired rows go by `<service> maintain`; until then they still answer.
create table idempotency (
    scope uuid not null,
    method text not null,
    key text not null,
    tenant_id uuid not null,
    request bytea not null,
    reply bytea not null,
    sealed boolean not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (scope, method, key)
);
comment on table idempotency is 'class: system; app: select, insert';
create policy scope on idempotency
    using (scope = nullif(current_setting('trellis.idem_scope', true), '')::uuid)
    with check (
        scope = nullif(current_setting('trellis.idem_scope', true), '')::uuid
        and tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
            '00000000-0000-0000-0000-000000000000'));

-- The end of each chain; its row lock puts the entries of a chain in order. A
-- chain belongs to a tenant, or, where there is none, to an account.
create table audit_head (
    tenant_id uuid not null primary key,
    seq bigint not null,
    prev_hash bytea not null,
    hash bytea not null
);
comment on table audit_head is 'class: system; app: select, insert, update; sys: select';
create policy chain on audit_head
    using (tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), ''),
        nullif(current_setting('trellis.account_id', true), ''))::uuid);

-- Append-only: no role of the service may update or delete.
create table audit (
    tenant_id uuid not null,
    seq bigint not null,
    id uuid not null,
    at timestamptz not null,
    action text not null,
    actor_kind text not null,
    actor_id uuid,
    subject_kind text not null,
    subject_id uuid,
    detail text,
    address text not null,
    trace_id bytea not null,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (tenant_id, id),
    unique (tenant_id, seq)
);
comment on table audit is 'class: system; app: select, insert; sys: select';
create policy chain on audit
    using (tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), ''),
        nullif(current_setting('trellis.account_id', true), ''))::uuid);

-- SHA-256 over the hash before and every column, each text with its length.
create function trl_audit_hash(prev bytea, tenant_id uuid, seq bigint, id uuid,
    at timestamptz, action text, actor_kind text, actor_id uuid, subject_kind text,
    subject_id uuid, detail text, address text, trace_id bytea) returns bytea
language sql stable as $$
    select sha256(prev || uuid_send(tenant_id) || int8send(seq) || uuid_send(id)
        || timestamptz_send(at)
        || int4send(octet_length(action)) || textsend(action)
        || int4send(octet_length(actor_kind)) || textsend(actor_kind)
        || coalesce('\x01'::bytea || uuid_send(actor_id), '\x00')
        || int4send(octet_length(subject_kind)) || textsend(subject_kind)
        || coalesce('\x01'::bytea || uuid_send(subject_id), '\x00')
        || coalesce('\x01'::bytea || int4send(octet_length(detail)) || textsend(detail), '\x00')
        || int4send(octet_length(address)) || textsend(address)
        || int4send(octet_length(trace_id)) || trace_id)
$$;
