-- What a key answered, while that is kept.
select request, reply, sealed from idempotency
where scope = :scope and method = :method and key = :key and expires_at > now()
