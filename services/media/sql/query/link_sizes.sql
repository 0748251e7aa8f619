-- As many sizes as are kept of a picture (made.c), its links ask for: more would be made
-- anew again and again, by whoever follows them.
-- expect: one CONFLICT "Links ask for 32 other sizes of this picture already; delete one of them, or let one expire."
select count(distinct options) as sizes
from link
where tenant_id = :tenant_id and file_id = :file_id and options not in ('-', :options)
having count(distinct options) < 32
