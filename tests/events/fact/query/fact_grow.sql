insert into fact (tenant_id, id, n) values (:tenant_id, :id, 1)
on conflict (tenant_id, id) do update set n = fact.n + 1
returning n
