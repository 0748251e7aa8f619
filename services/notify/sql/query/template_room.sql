-- A tenant has a bounded number of them.
-- expect: one QUOTA "Too many templates."
select count(*) as n
from (select distinct kind, locale from template where tenant_id = :tenant_id) t
having count(*) < :allowed
