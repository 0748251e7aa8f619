select id, id = :current_id as current, created_at, last_used_at, expires_at,
    nullif(address, '') as address, nullif(user_agent, '') as user_agent
from session
where account_id = :account_id and id > :after and expires_at > :now
    and last_used_at > :idle_since
order by id
limit :limit
