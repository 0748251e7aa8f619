-- Of several that have the address for a moment, the verified one.
select account_id, email, display_name, locale, verified
from account_copy
where email = :email
order by verified desc, account_id
limit 1
