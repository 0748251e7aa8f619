-- Ten failures in a row, and each one after them, give it a rest of five minutes. What is
-- shown of it changes by the first failure and by a rest, and so does its version.
update webhook_endpoint
set version = version + case when failing_since is null or failures >= 9 then 1 else 0 end,
    failing_since = coalesce(failing_since, :now), failures = failures + 1,
    rests_until = case when failures >= 9 then :now + interval '5 minutes' end
where tenant_id = :tenant_id and id = :endpoint_id
