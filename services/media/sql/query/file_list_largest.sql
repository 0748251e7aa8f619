-- Files, the largest first. As many as a page has of each collection that is
-- shown, of the caller's own of others, or of all where they manage files: so each is
-- found by an index.
with listed as (
    (select shown_file.id, shown_file.size
    from unnest(:shown::text[]) as shown (name)
    cross join lateral (
        select f.id, f.size
        from file f
        where f.tenant_id = :tenant_id and f.collection = shown.name
            and f.state <> 'deleted'
            and file_asked(f, :collection, :type, :state, :name, :created_after,
                :created_before)
            and (:after::uuid is null or (f.size, f.id) < (:number::bigint, :after::uuid))
        order by f.size desc, f.id desc
        limit :limit
    ) shown_file)
    union all
    (select f.id, f.size
    from file f
    where f.tenant_id = :tenant_id and f.maker = :me and not :manages::boolean
        and (:shown::text[] is null or f.collection <> all (:shown::text[]))
        and file_asked(f, :collection, :type, :state, :name, :created_after,
            :created_before)
        and (:after::uuid is null or (f.size, f.id) < (:number::bigint, :after::uuid))
    order by f.size desc, f.id desc
    limit :limit)
    union all
    (select f.id, f.size
    from file f
    where f.tenant_id = :tenant_id and :manages::boolean
        and file_asked(f, :collection, :type, :state, :name, :created_after,
            :created_before)
        and (:after::uuid is null or (f.size, f.id) < (:number::bigint, :after::uuid))
    order by f.size desc, f.id desc
    limit :limit)
    order by size desc, id desc
    limit :limit
)
select f.id, f.version, f.collection, f.name, f.type, f.size, f.sha256, f.state, f.reason,
    f.width, f.height, f.frames, f.thumb_hash, f.scan, f.created_by, f.created_at,
    f.updated_at, f.deleted_at, f.purge_at
from listed
join file f on f.tenant_id = :tenant_id and f.id = listed.id
order by f.size desc, f.id desc
