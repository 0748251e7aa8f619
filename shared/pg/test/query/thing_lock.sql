-- expect: one NOT_FOUND
select id, name, version from thing where id = :id for update
