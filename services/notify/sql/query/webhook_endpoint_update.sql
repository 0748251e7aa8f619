-- What failed before counts no more once it is disabled or enabled by hand, or has another
-- URL.
-- expect: one PRECONDITION "This endpoint was changed in the meantime; read it again."
update webhook_endpoint
set version = :version, url = :url, event_types = :event_types, description = :description,
    status = :status, disabled_reason = :disabled_reason, disabled_at = :disabled_at,
    failing_since = case when status = :status and url = :url then failing_since end,
    failures = case when status = :status and url = :url then failures else 0 end,
    rests_until = case when status = :status and url = :url then rests_until end,
    secret = :secret_sealed, former_secret = :former_secret_sealed,
    former_secret_until = :former_secret_until, updated_at = :updated_at
where tenant_id = :tenant_id and id = :id and version = :former_version
