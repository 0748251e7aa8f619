-- A writer takes an upload, at exactly its durable offset and for no more than its length:
-- from nobody, from its own process (where none writes it any more), or from the writer
-- whose generation is :seized.
update upload set generation = generation + 1, holder = :holder
where tenant_id = :tenant_id and id = :id and uploader = :uploader
    and received = :offset::bigint and expires_at > :now and finished_at is null
    and (concat is null or concat = 'partial')
    and :until::bigint <= coalesce(length, :until)
    and received < coalesce(length, received + 1)
    and (holder is null or holder = :holder or generation = :seized::bigint)
returning id, collection, name, type, metadata, length, received, reserved, generation, holder,
    hash_state, store_state, concat, parts, uploader, created_by, expires_at, finished_at
