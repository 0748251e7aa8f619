-- Two rows are enough to know that there is more than one.
select m.tenant_id as id, m.role, d.status
from membership m
join tenant_directory d on d.tenant_id = m.tenant_id
where m.account_id = :account_id
  and (d.status = 'active' or (m.role = 'owner' and d.delete_at > :now))
order by m.tenant_id
limit 2
