select id, name, version from thing where id > :after order by id limit :limit
