-- The links of a picture ask for half as many sizes as are kept of it (wish.c), since one
-- with f_auto is made in two formats: more would be made again and again.
-- expect: one CONFLICT "Links ask for 32 other sizes of this picture already; delete one of them, or let one expire."
select count(distinct options) as sizes
from link
where tenant_id = :tenant_id and file_id = :file_id and options not in ('-', :options)
having count(distinct options) < 32
