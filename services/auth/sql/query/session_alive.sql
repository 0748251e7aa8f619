-- As session_guard, and the session does not end before this is committed.
-- expect: one UNAUTHENTICATED "This session has ended; sign in again."
select id
from session
where account_id = :asking_account and id = :asking_session and expires_at > :now
for key share
