-- Across tenants, under the account's own policy.
select m.tenant_id as id, d.slug, d.display_name, d.status, m.role, m.created_at as joined_at
from membership m
join tenant_directory d on d.tenant_id = m.tenant_id
where m.account_id = :account_id
  and m.tenant_id > :after
  and (d.status = 'active' or (m.role = 'owner' and d.delete_at > :now))
order by m.tenant_id
limit :limit
