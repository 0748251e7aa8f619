-- Running jobs whose worker let the lease run out.
select id, lease_token as token, kind, attempt, attempts, ending from job
where state = 'running' and kind = any (:kinds::text[]) and lease_until < now()
limit 200
