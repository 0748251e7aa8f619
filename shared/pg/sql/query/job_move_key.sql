-- The job of a key, of the batch's tenant, that waits: it waits until then.
update job set run_at = coalesce(:run_at::timestamptz, now()),
    state = case when :run_at::timestamptz > now() then 'scheduled' else 'ready' end
where kind = :kind::text and key = :key::text and ending is null
    and tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000')
    and state in ('scheduled', 'ready')
