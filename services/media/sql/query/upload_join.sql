-- A job goes on with a final upload: from here on nobody else does.
update upload set generation = generation + 1
where tenant_id = :tenant_id and id = :id and parts is not null
returning id, length, generation, joined, hash_state, store_state
