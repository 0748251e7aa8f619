select account_id
from account_directory
where account_id > :after
order by account_id
limit :limit
