-- For the operator: what this service knows of an organisation, as far as there is any.
select fact.name, fact.value
from (values (:tenant_id::uuid)) as here (tenant_id), lateral (values
    (1, 'storage_used_bytes', (select s.used::text from storage s
        where s.tenant_id = here.tenant_id)),
    (2, 'storage_reserved_bytes', (select nullif(s.reserved, 0)::text from storage s
        where s.tenant_id = here.tenant_id)),
    (3, 'files', (select string_agg(c.n || ' ' || c.state, ', ' order by c.state)
        from (select f.state, count(*) as n from file f
            where f.tenant_id = here.tenant_id group by f.state) c)),
    (4, 'uploads', (select nullif(count(*), 0)::text from upload u
        where u.tenant_id = here.tenant_id and u.finished_at is null)),
    (5, 'links', (select nullif(count(*), 0)::text from link l
        where l.tenant_id = here.tenant_id and l.expires_at > now())),
    (6, 'audit_entries', (select h.seq::text from audit_head h
        where h.tenant_id = here.tenant_id))
) as fact(place, name, value)
where fact.value is not null
order by fact.place
