-- What is durable now, said by the present writer; with :over it writes no more.
-- Of a repeat the row may be free already.
-- What had been reserved is asked for, so that no repeat reserves twice.
-- expect: one CONFLICT "Another request has taken over this upload."
update upload set received = :received::bigint, reserved = :reserved::bigint,
    hash_state = :hash_state, store_state = :store_state, expires_at = :expires_at,
    holder = case when :over::boolean then null else holder end
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and reserved = :had_reserved::bigint
    and (holder = :holder or holder is null and received = :received)
