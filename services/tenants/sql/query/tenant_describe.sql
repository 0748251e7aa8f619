-- For the operator: what this service knows of an organisation.
select fact.name, fact.value
from tenant t, lateral (values
    (1, 'slug', t.slug),
    (2, 'display_name', t.display_name),
    (3, 'status', t.status),
    (4, 'delete_at', to_char(t.delete_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    (5, 'created_at', to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    (6, 'version', t.version::text),
    (7, 'members', (select count(*)::text from membership m where m.tenant_id = t.tenant_id)),
    (8, 'owners', (select count(*)::text from membership m
        where m.tenant_id = t.tenant_id and m.role = 'owner')),
    (9, 'invitations_pending', (select count(*)::text from invitation i
        where i.tenant_id = t.tenant_id and i.status = 'pending' and i.expires_at > now())),
    (10, 'audit_entries', (select h.seq::text from audit_head h where h.tenant_id = t.tenant_id))
) as fact(place, name, value)
where t.tenant_id = :tenant_id and fact.value is not null
order by fact.place
