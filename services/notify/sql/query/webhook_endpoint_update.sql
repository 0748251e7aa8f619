-- expect: one PRECONDITION "Somebody has changed this endpoint meanwhile; read it again."
update webhook_endpoint
set version = :version, url = :url, event_types = :event_types, description = :description,
    status = :status, disabled_reason = :disabled_reason, disabled_at = :disabled_at,
    failing_since = :failing_since, secret = :secret_sealed,
    former_secret = :former_secret_sealed, former_secret_until = :former_secret_until,
    updated_at = :updated_at
where tenant_id = :tenant_id and id = :id and version = :former_version
