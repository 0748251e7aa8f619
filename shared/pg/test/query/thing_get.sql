-- expect: one NOT_FOUND
select tenant_id, id, name, size, amount, few, ok, ratio, share, at, state, blob, tags, ids, numbers,
    small_numbers, states, inner_packed as inner, json, version
from thing where id = :id
