-- A writer goes without a trace, if it still is the one.
update upload set holder = null
where tenant_id = :tenant_id and id = :id and generation = :generation::bigint
    and holder = :holder
