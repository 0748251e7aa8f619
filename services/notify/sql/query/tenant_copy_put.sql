-- What is older than the copy changes nothing.
insert into tenant_copy (tenant_id, slug, display_name, status, version)
values (:tenant_id, :slug, :display_name, :status, :version)
on conflict (tenant_id) do update
set slug = excluded.slug, display_name = excluded.display_name, status = excluded.status,
    version = excluded.version
where tenant_copy.version < excluded.version
