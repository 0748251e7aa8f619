-- A digest's job that runs again finds its own.
insert into delivery (tenant_id, id, kind, channel, account_id, address, event_id, status,
    attempts, detail, created_at, updated_at)
values (:tenant_id, :delivery_id, :kind, :channel,
    nullif(:account_id::uuid, '00000000-0000-0000-0000-000000000000'), :address, :event_id,
    :status, 0, :detail, :now, :now)
on conflict (tenant_id, id) do nothing
