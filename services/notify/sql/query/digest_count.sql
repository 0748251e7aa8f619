select count(*) as held
from digest_entry
where account_id = :account_id and digest_id = :id
