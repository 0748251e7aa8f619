-- expect: one NOT_FOUND
update thing set amount = coalesce(amount, 0) + 1 where id = :id returning amount as n
