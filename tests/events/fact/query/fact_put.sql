insert into fact (tenant_id, id, n) values (:tenant_id, :id, :n)
on conflict (tenant_id, id) do update set n = excluded.n
