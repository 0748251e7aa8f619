-- Files in one of six orders; names as Unicode orders their characters. As many as a
-- page has of each collection that is shown, of the caller's own of others, or of all
-- where they manage files: so each is found by an index.
-- variant oldest: by = created_at; way = asc; past = >; from = :at::timestamptz
-- variant newest: by = created_at; way = desc; past = <; from = :at::timestamptz
-- variant smallest: by = size; way = asc; past = >; from = :number::bigint
-- variant largest: by = size; way = desc; past = <; from = :number::bigint
-- variant name: by = sorted_name; way = asc; past = >; from = normalize(:text::text)
-- variant name_back: by = sorted_name; way = desc; past = <; from = normalize(:text::text)
with listed as (
    (select shown_file.id, shown_file.{by}
    from unnest(:shown::text[]) as shown (name)
    cross join lateral (
        select f.id, f.{by}
        from file f
        where f.tenant_id = :tenant_id and f.collection = shown.name
            and f.state <> 'deleted'
            and file_asked(f, :collection, :type, :state, :name, :created_after,
                :created_before)
            and (:after::uuid is null or (f.{by}, f.id) {past} ({from}, :after::uuid))
        order by f.{by} {way}, f.id {way}
        limit :limit
    ) shown_file)
    union all
    (select f.id, f.{by}
    from file f
    where f.tenant_id = :tenant_id and f.maker = :me and not :manages::boolean
        and (:shown::text[] is null or f.collection <> all (:shown::text[]))
        and file_asked(f, :collection, :type, :state, :name, :created_after,
            :created_before)
        and (:after::uuid is null or (f.{by}, f.id) {past} ({from}, :after::uuid))
    order by f.{by} {way}, f.id {way}
    limit :limit)
    union all
    (select f.id, f.{by}
    from file f
    where f.tenant_id = :tenant_id and :manages::boolean
        and file_asked(f, :collection, :type, :state, :name, :created_after,
            :created_before)
        and (:after::uuid is null or (f.{by}, f.id) {past} ({from}, :after::uuid))
    order by f.{by} {way}, f.id {way}
    limit :limit)
    order by {by} {way}, id {way}
    limit :limit
)
select f.id, f.version, f.collection, f.name, f.type, f.size, f.sha256, f.state, f.reason,
    f.width, f.height, f.frames, f.thumb_hash, f.scan, f.created_by, f.created_at,
    f.updated_at, f.deleted_at, f.purge_at
from listed
join file f on f.tenant_id = :tenant_id and f.id = listed.id
order by f.{by} {way}, f.id {way}
