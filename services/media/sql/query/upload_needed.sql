-- Of which of these uploads the bytes are needed: the row is there, or a final one that
-- names it is still to be put together.
select found.id
from unnest(:ids::uuid[]) as found (id)
where upload_is_pending(:tenant_id::uuid, found.id)
    or exists (select 1 from upload u where u.tenant_id = :tenant_id and u.id = found.id)
