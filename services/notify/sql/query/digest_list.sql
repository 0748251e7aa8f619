select id, kind, title, body, link, created_at
from digest_entry
where account_id = :account_id and digest_id = :id
order by digest_entry.id
limit :limit
