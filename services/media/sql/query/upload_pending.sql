-- How many files are still to be put together of an upload's bytes, or are it.
select count(*) as count
from upload f join file on file.tenant_id = f.tenant_id and file.id = f.id
where f.tenant_id = :tenant_id and (f.id = :id or f.parts @> array[:id::uuid])
    and f.parts is not null and file.sha256 is null
    and coalesce(file.kept_state, file.state) = 'processing'
