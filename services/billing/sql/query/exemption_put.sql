-- Why an organisation pays no tax, by the operator. The account's version guards it.
insert into profile (tenant_id, version, exempt_reason, updated_at)
values (:tenant_id, :version, :exempt_reason, :updated_at)
on conflict (tenant_id) do update set version = excluded.version,
    exempt_reason = excluded.exempt_reason, updated_at = excluded.updated_at
