-- Those with one of some roles, but for one; a piece.
select account_id
from membership_copy
where tenant_id = :tenant_id and role = any (:roles::text[]) and account_id <> :but
  and account_id > :after
order by account_id
limit :limit
