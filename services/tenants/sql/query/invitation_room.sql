-- A tenant has a bounded number of invitations open; one whose time is over is not.
-- Under the tenant's lock.
-- expect: one QUOTA "This organisation has as many open invitations as it may; revoke one first."
select count(*) as open
from invitation
where tenant_id = :tenant_id and status = 'pending' and expires_at > :now
having count(*) < :allowed
