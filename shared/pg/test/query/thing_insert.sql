insert into thing (tenant_id, id, name, size, amount, few, ok, ratio, share, at, state, blob, tags,
    ids, numbers, small_numbers, states, inner_packed, json, version)
values (:tenant_id, :id, :name, :size, :amount, :few, :ok, :ratio, :share, :at, :state, :blob, :tags,
    :ids, :numbers, :small_numbers, :states, :inner, :json, coalesce(:version, 1))
