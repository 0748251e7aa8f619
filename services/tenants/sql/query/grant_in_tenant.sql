-- Owners keep a deleting tenant until its time is over.
-- expect: one NOT_FOUND "There is no such tenant."
select m.tenant_id, m.role, t.status
from membership m
join tenant t on t.tenant_id = m.tenant_id
where m.tenant_id = :tenant_id and m.account_id = :account_id
  and (t.status = 'active' or (m.role = 'owner' and t.delete_at > :now))
