-- Files by their names, from behind.
select f.id, f.version, f.collection, f.name, f.type, f.size, f.sha256, f.state, f.reason,
    f.width, f.height, f.frames, f.thumb_hash, f.scan, f.created_by, f.created_at,
    f.updated_at, f.deleted_at, f.purge_at
from file f
where f.tenant_id = :tenant_id
    and file_listed(f, :collection, :type, :state, :name, :created_after, :created_before,
        :me, :manages, :shown)
    and (:after::uuid is null or (f.sorted_name, f.id) < (normalize(:text::text), :after::uuid))
order by f.sorted_name desc, f.id desc
limit :limit
