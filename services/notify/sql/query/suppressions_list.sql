-- For the operator: what is held back now.
select email, reason, created_at, until
from suppression
where until > :now and email > :after
  and (:email::text = '' or lower(email) = lower(:email))
order by email
limit :limit
