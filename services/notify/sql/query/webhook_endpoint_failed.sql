-- Ten failures in a row, and each one after them, give it a rest of five minutes; it may
-- have asked for one itself.
update webhook_endpoint
set failing_since = coalesce(failing_since, :now), failures = failures + 1,
    rests_until = greatest(rests_until, :asked_until,
        case when failures >= 9 then :now + interval '5 minutes' end)
where tenant_id = :tenant_id and id = :endpoint_id
