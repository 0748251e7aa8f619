-- Takes the slug.
insert into tenant_directory (slug, tenant_id, display_name, status)
values (:slug, :id, :display_name, :status)
