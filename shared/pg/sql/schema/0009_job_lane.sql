-- What a job waits on outside of the mesh, such as an endpoint: how many of a lane run at
-- once is bounded, and the lanes of a tenant take turns (query/job_claim_lanes.sql). Most
-- kinds have none, and all their jobs are in one.
alter table job
    add column lane uuid not null default '00000000-0000-0000-0000-000000000000';

drop index job_ready;
create index job_ready on job (kind, tenant_id, lane, priority desc, run_at, id)
    where state = 'ready';
