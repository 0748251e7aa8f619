-- Money that is to move.
insert into payment (tenant_id, id, invoice_id, method_id, payment_id, kind, status,
    provider, reference, currency, amount, refunded, decline_code, action_url,
    created_at, settled_at)
values (:tenant_id, :id, :invoice_id, :method_id, :payment_id::uuid, :kind, :status,
    :provider, :reference::text, :currency, :amount, 0, :decline_code,
    :action_url::text, :created_at, :settled_at)
