-- expect: one NOT_FOUND
with found as (select id as it from thing where id = :id)
update thing set size = 1 where id in (select it from found)
