-- Those with one of some roles, but for one.
select account_id
from membership_copy
where tenant_id = :tenant_id and role = any (:roles::text[]) and account_id <> :but
order by account_id
limit :limit
