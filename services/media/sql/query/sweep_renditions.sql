-- What was made of pictures long ago, of all organisations.
select r.tenant_id, r.file_id, r.key, r.size, f.collection, f.type
from rendition r
join file f on f.tenant_id = r.tenant_id and f.id = r.file_id
where r.created_at < :before
    and (r.tenant_id, r.file_id, r.key) > (:tenant_id::uuid, :file_id::uuid, :key)
order by r.tenant_id, r.file_id, r.key limit :limit
