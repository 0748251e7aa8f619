-- expect: one PRECONDITION "Somebody changed this member in the meantime; read it again."
update membership
set role = :role, version = :version, updated_at = :updated_at
where tenant_id = :tenant_id and account_id = :account_id and version = :former_version
