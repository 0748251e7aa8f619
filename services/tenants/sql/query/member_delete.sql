-- expect: one PRECONDITION "Somebody has changed this member meanwhile; read it again."
delete from membership
where tenant_id = :tenant_id and account_id = :account_id and version = :former_version
