-- What the operator gave an organisation.
select feature, "boolean", number, "text"
from entitlement
where tenant_id = :tenant_id
order by feature
