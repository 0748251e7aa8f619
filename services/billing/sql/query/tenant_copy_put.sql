-- What tenants says of an organisation, unless something newer was heard.
insert into tenant_copy (tenant_id, deleting, version)
values (:tenant_id, :deleting, :version)
on conflict (tenant_id) do update
    set deleting = excluded.deleting, version = excluded.version
where tenant_copy.version < excluded.version
