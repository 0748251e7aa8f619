-- In the first free slot; who makes one at the same time loses by the slot's key.
insert into webhook_endpoint (tenant_id, id, slot, version, url, event_types, description,
    status, secret, created_at, updated_at)
values (:tenant_id, :id,
    (select min(free.slot) from generate_series(1, 20) as free (slot)
     where not exists (select from webhook_endpoint as e
                       where e.tenant_id = :tenant_id and e.slot = free.slot)),
    :version, :url, :event_types, :description, :status, :secret_sealed, :created_at,
    :updated_at)
