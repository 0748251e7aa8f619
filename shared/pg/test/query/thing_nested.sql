select id, name as "inner.text", amount as "inner.number" from thing where id = :id
