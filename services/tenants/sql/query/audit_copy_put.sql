-- An entry of another service's chain. What is told again, or was shown before, stands.
insert into audit_copy (tenant_id, id, chain, number, created_at, action, actor_kind,
    actor_id, subject_kind, subject_id, hash, detail, address)
values (:tenant_id, :id, :chain, :number, :created_at, :action, :actor_kind, :actor_id,
    coalesce(:subject_kind::text, ''), :subject_id, :hash, :detail,
    coalesce(:address::text, ''))
on conflict do nothing
