-- Writes what was read and changed, unless somebody was faster.
-- expect: one PRECONDITION "Somebody changed this organisation in the meantime; read it again."
update tenant
set slug = :slug, display_name = :display_name, status = :status,
    delete_at = :delete_at, version = :version, updated_at = :updated_at
where tenant_id = :tenant_id and version = :former_version
