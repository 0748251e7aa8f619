-- expect: one QUOTA "This organisation has as many webhook endpoints as it may; delete one first."
select count(*) as taken
from webhook_endpoint
where tenant_id = :tenant_id
having count(*) < 20
