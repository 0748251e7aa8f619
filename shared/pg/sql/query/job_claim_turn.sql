-- Before job_claim_lanes: replicas claim of a kind one after the other, so that what one
-- counts as running is what runs. Its own statement, for a statement sees what was
-- committed before it began.
select 1 as turn from pg_advisory_xact_lock(
    hashtextextended(current_schema || '.job ' || :kind::text, 0))
