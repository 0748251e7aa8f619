-- Whether a file is still to be put together of an upload's bytes, or is it: 1 or 0.
select count(*) as count
from (select 1 where upload_is_pending(:tenant_id::uuid, :id::uuid)) as pending
