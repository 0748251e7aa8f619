-- Appends to the chain: the head's row is locked and moved on by the same statement.
with entry as (
    select coalesce(nullif(current_setting('trellis.tenant_id', true), ''),
            nullif(current_setting('trellis.account_id', true), ''))::uuid as chain,
        :id::uuid as id, :at::timestamptz as at, :action::text as action,
        :actor_kind::text as actor_kind, :actor_id::uuid as actor_id,
        :subject_kind::text as subject_kind, :subject_id::uuid as subject_id,
        :detail::text as detail, :address::text as address, :trace_id::bytea as trace_id
), head as (
    insert into audit_head as h (tenant_id, seq, prev_hash, hash)
    select chain, 1, '\x', trl_audit_hash('\x', chain, 1, id, at, action, actor_kind,
        actor_id, subject_kind, subject_id, detail, address, trace_id) from entry
    on conflict (tenant_id) do update set seq = h.seq + 1, prev_hash = h.hash,
        hash = trl_audit_hash(h.hash, h.tenant_id, h.seq + 1, :id::uuid,
            :at::timestamptz, :action::text, :actor_kind::text, :actor_id::uuid,
            :subject_kind::text, :subject_id::uuid, :detail::text, :address::text,
            :trace_id::bytea)
    returning tenant_id, seq, prev_hash, hash
)
insert into audit (tenant_id, seq, id, at, action, actor_kind, actor_id, subject_kind,
    subject_id, detail, address, trace_id, prev_hash, hash)
select head.tenant_id, head.seq, entry.id, entry.at, entry.action, entry.actor_kind,
    entry.actor_id, entry.subject_kind, entry.subject_id, entry.detail, entry.address,
    entry.trace_id, head.prev_hash, head.hash
from head, entry
