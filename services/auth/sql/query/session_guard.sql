-- The session under which something is done has not ended since the request came. It is
-- not locked: what ends sessions would wait for it while holding what this waits for.
-- expect: one UNAUTHENTICATED "This session has ended; sign in again."
select id
from session
where account_id = :account_id and id = :session_id
