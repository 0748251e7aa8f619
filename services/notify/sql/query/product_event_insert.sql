insert into product_event (tenant_id, id, added_at, body)
values (:tenant_id, :id, :added_at, :body)
on conflict (tenant_id, id) do nothing
