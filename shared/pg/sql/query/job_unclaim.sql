-- Gives back what a claim took whose answer never came: nobody ran it.
update job set state = 'ready', attempt = attempt - 1, lease_token = null,
    lease_until = null
where state = 'running' and lease_token = :token::uuid
