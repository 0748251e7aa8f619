select tenant_id, slug, display_name
from tenant_copy
where tenant_id = :tenant_id
