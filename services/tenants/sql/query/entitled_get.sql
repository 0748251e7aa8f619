-- The features of a tenant's plan, and what it has of its own. A plan that billing has not
-- told of yet is the fallback.
select p.document as plan, c.document as own
from (select 1) one
left join plan_copy c on c.tenant_id = :tenant_id
left join lateral (select d.document from plan_directory d
    where d.plan = c.plan or d.fallback
    order by d.plan = c.plan desc nulls last, d.version desc limit 1) p on true
