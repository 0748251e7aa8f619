-- Another way to pay becomes the default one.
update payment_method set is_default = false, version = version + 1,
    updated_at = :now::timestamptz
where tenant_id = :tenant_id and is_default and id <> :id
