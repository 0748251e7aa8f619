select account_id, email, display_name, locale, verified
from account_copy
where account_id = :account_id
