select id, version, email, role,
    case when expires_at <= :now then 'expired' else status end as status,
    invited_by, expires_at, created_at, updated_at
from invitation
where tenant_id = :tenant_id and status = 'pending' and id > :after
order by id
limit :limit
