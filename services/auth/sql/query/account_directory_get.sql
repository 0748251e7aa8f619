-- expect: one NOT_FOUND "There is no such account."
select account_id, email, display_name, verified
from account_directory
where account_id = :account_id
