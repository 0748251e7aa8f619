-- The hot path: one statement of one READ batch.
-- expect: one NOT_FOUND "There is no such tenant."
select tenant_id as id, version, slug, display_name, status, created_at, updated_at, delete_at
from tenant
where tenant_id = :tenant_id
