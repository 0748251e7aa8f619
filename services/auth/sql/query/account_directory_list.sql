select account_id, email, display_name, verified
from account_directory
where account_id = any(:account_ids::uuid[])
