-- A file has a bounded number of links, of which the new one is none yet. Those that have
-- expired were removed before.
-- expect: one CONFLICT "This file has 1000 links already; delete one of them, or let one expire."
select count(*) as links
from (select 1 from link
    where tenant_id = :tenant_id and file_id = :file_id and id <> :id limit 1000) links
having count(*) < 1000
