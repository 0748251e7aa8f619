-- Which rows refer to what lies in the store, in the order of what is asked for. A
-- rejected file refers to nothing any more; a final upload that is to be put together
-- refers to its parts.
select f.id is not null as file,
    coalesce(f.kept_state, f.state) = 'processing' as processing, u.id is not null
        or upload_is_pending(found.tenant_id, found.file_id) as upload,
    r.file_id is not null as rendition
from unnest(:tenants::uuid[], :files::uuid[], :parts::text[]) with ordinality
    as found (tenant_id, file_id, part, place)
left join file f on f.tenant_id = found.tenant_id and f.id = found.file_id
    and coalesce(f.kept_state, f.state) <> 'rejected'
left join upload u on u.tenant_id = found.tenant_id and u.id = found.file_id
left join rendition r on r.tenant_id = found.tenant_id and r.file_id = found.file_id
    and r.key = found.part
order by found.place
