-- What a key answered.
select request, reply, sealed from idempotency
where scope = :scope and method = :method and key = :key
