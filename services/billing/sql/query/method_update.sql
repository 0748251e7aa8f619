-- A way to pay as it becomes. The account's version guards it.
-- expect: one INTERNAL
update payment_method set version = :version, status = :status,
    is_default = :is_default, next_action_url = :next_action_url,
    updated_at = :updated_at
where tenant_id = :tenant_id and id = :id
