-- The transaction of a fact may cancel or move a job by its key (shared/jobs): of its own
-- tenant, and without seeing what the job holds.
drop policy if exists tenant on job;
create policy tenant on job
    using (tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'));
comment on table job is 'class: system; app: insert, '
    'select (tenant_id, kind, key, state, run_at, ending, cancel, ended_at), '
    'update (key, state, run_at, ending, cancel, ended_at)';
