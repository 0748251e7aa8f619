select id, name, version from thing where id = :id
