-- The directory's copy of what a list of tenants shows.
-- expect: one NOT_FOUND "There is no such tenant."
update tenant_directory
set slug = :slug, display_name = :display_name, status = :status, delete_at = :delete_at
where tenant_id = :id
