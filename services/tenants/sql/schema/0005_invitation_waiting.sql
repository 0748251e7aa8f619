-- A page of the invitations that wait is read in the order of their ids: neither walked
-- to past those that ended, nor sorted out of all that wait.
create index invitation_waiting on invitation (tenant_id, id) where status = 'pending';
