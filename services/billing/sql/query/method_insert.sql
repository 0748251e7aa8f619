-- A way to pay that the provider knows.
insert into payment_method (tenant_id, id, version, provider, kind, status, brand, last4,
    expiry_month, expiry_year, is_default, next_action_url, reference, created_at,
    updated_at)
values (:tenant_id, :id, :version, :provider, :kind, :status, :brand, :last4,
    :expiry_month, :expiry_year, :is_default, :next_action_url, :reference, :created_at,
    :updated_at)
