-- For the operator: what this service knows of a tenant, as far as there is any.
select fact.name, fact.value
from (values
    (1, 'api_keys', (select nullif(count(*), 0)::text from api_key k where k.tenant_id = :tenant_id)),
    (2, 'api_keys_expired', (select nullif(count(*), 0)::text from api_key k
        where k.tenant_id = :tenant_id and k.expires_at < now())),
    (3, 'api_key_last_used_at', (select to_char(max(k.last_used_at) at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') from api_key k where k.tenant_id = :tenant_id)),
    (4, 'audit_entries', (select h.seq::text from audit_head h where h.tenant_id = :tenant_id))
) as fact(place, name, value)
where fact.value is not null
order by fact.place
