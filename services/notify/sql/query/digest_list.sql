select id, kind, title, body, link, created_at
from digest_entry
where account_id = :account_id
order by id
limit :limit
