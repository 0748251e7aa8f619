select id as event_id, n as seq from fact where id > :after::uuid order by id limit :most
