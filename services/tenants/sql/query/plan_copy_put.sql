-- By version: what is told again, or was shown before, stands.
insert into plan_copy (tenant_id, version, plan, document)
values (:tenant_id, :version, :plan, :document)
on conflict (tenant_id) do update set version = excluded.version, plan = excluded.plan,
    document = excluded.document
where plan_copy.version < excluded.version
