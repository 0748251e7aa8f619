-- Not where it was disabled, changed or deleted meanwhile; for failing, only where it has
-- failed since the same time still.
-- expect: one PRECONDITION
update webhook_endpoint
set version = :version, status = 'disabled', disabled_reason = :disabled_reason,
    disabled_at = :disabled_at, updated_at = :updated_at
where tenant_id = :tenant_id and id = :id and version = :former_version and status = 'enabled'
    and (:since::timestamptz is null or failing_since = :since)
