-- As session_alive, of an API key.
-- expect: one UNAUTHENTICATED "This API key was revoked or has ended."
select id
from api_key
where tenant_id = :tenant_id and id = :asking_key
    and (expires_at is null or expires_at > :now)
for key share
