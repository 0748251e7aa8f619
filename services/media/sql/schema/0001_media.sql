-- Files, the uploads that become files, what was made of pictures, and links.

-- A file, from the moment that all its bytes have come. The bytes lie in the store under
-- tenant and id.
create table file (
    tenant_id  uuid not null,
    id         uuid not null,
    version    bigint not null,
    collection text not null,
    name       text not null,
    type       text not null,
    size       bigint not null,
    sha256     text,
    state      text not null,
    reason     text,
    width      integer,
    height     integer,
    frames     integer,
    thumb_hash text,
    scan       text,
    created_by uuid,
    maker      uuid,               -- the account or the API key
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    purge_at   timestamptz,
    kept_state text,               -- what a deleted file is again when it is restored
    -- What lists compare names by. A column, for no index of an expression serves a filter
    -- under a row's policy.
    sorted_name text collate "C" not null generated always as (normalize(name)) stored,
    constraint file_pkey primary key (tenant_id, id),
    constraint file_size_check check (size >= 0),
    constraint file_state_check check (state in ('processing', 'ready', 'rejected',
        'quarantined', 'deleted')),
    constraint file_scan_check check (scan in ('clean', 'infected', 'unscanned', 'pending',
        'released'))
);
comment on table file is 'class: tenant';
create index file_created_at on file (tenant_id, created_at, id);
create index file_size on file (tenant_id, size, id);
create index file_name on file (tenant_id, sorted_name, id);
create index file_maker on file (tenant_id, maker, created_at, id);
create index file_collection on file (tenant_id, collection, created_at, id);
create index file_collection_size on file (tenant_id, collection, size, id);
create index file_collection_name on file (tenant_id, collection, sorted_name, id);
create index file_type on file (tenant_id, type, created_at, id);
create index file_not_ready on file (tenant_id, created_at, id) where state <> 'ready';
create index file_purge_at on file (purge_at) where state = 'deleted';

-- Whether a file is what a list asks for (null: nothing); the trash only where it is asked
-- for. Names are compared in NFC, types without case: ours are written small.
create function file_asked(f file, of_collection text, of_type text, of_state text,
    of_name text, since timestamptz, until timestamptz) returns boolean
    language sql stable as $$
select (f.state = of_state or of_state is null and f.state <> 'deleted')
    and (of_collection is null or f.collection = of_collection)
    and (of_type is null or f.type = lower(of_type)
        or right(of_type, 2) = '/*' and starts_with(f.type, lower(left(of_type, -1))))
    and (of_name is null or f.sorted_name = normalize(of_name))
    and (since is null or f.created_at >= since)
    and (until is null or f.created_at < until)
$$;

-- An upload: what is durable of it, and who writes it. It stays until it expires, also
-- when it has become a file, for whoever asks how far it came.
-- raises upload_final_key: EXISTS "This upload is there already."
-- raises upload_request_key: EXISTS "This request has begun an upload before."
create table upload (
    tenant_id   uuid not null,
    id          uuid not null,
    collection  text not null,
    name        text not null,
    type        text,               -- as it was declared
    metadata    text,               -- as it was sent
    length      bigint,             -- null: not known yet
    received    bigint not null,    -- durable bytes
    reserved    bigint not null,    -- of the plan's storage
    generation  bigint not null,    -- whose commits count: each writer has its own
    holder      uuid,               -- the process that writes; null: none does
    hash_state  bytea,
    store_state bytea,
    concat      text,               -- Upload-Concat, as it was sent
    parts       uuid[],             -- of a final one
    final_key   bytea,              -- of a final one: hash of what asked for it
    joined      bigint not null default 0, -- of a final one: bytes that its job has put
                                    -- together; hash_state and store_state are of those
    request_key bytea,              -- of one that came with its body: hash of the request,
                                    -- until its answer is recorded
    uploader    uuid not null,      -- the account or key that may go on with it
    created_by  uuid,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    finished_at timestamptz,
    constraint upload_pkey primary key (tenant_id, id),
    constraint upload_received_check check (received >= 0 and reserved >= 0
        and received <= coalesce(length, received)),
    constraint upload_final_key unique (tenant_id, final_key),
    constraint upload_request_key unique (tenant_id, request_key)
);
comment on table upload is 'class: tenant';
create index upload_expires_at on upload (expires_at);
-- Those that hold room.
create index upload_open on upload (tenant_id, id)
    where finished_at is null or reserved > 0;
-- Finals are few, where all uploads are many. Not gin (parts): under a row's policy no
-- index serves @>, which PostgreSQL does not hold to be leakproof.
create index upload_finals on upload (tenant_id, id) where parts is not null;

-- Whether an upload's bytes are to be read by the job of a final one still, or the upload
-- is such a final one itself. Until then nobody removes the bytes.
create function upload_is_pending(of_tenant uuid, of_id uuid) returns boolean
    language sql stable as $$
select exists (select 1
    from upload f join file on file.tenant_id = f.tenant_id and file.id = f.id
    where f.tenant_id = of_tenant and (f.id = of_id or f.parts @> array[of_id])
        and f.parts is not null and file.sha256 is null
        and coalesce(file.kept_state, file.state) = 'processing')
$$;

-- What a process is asked about the uploads that it writes: to make durable what has
-- come, and to see whether it still is the one who writes. It takes the row away once it
-- has.
create table upload_ask_directory (
    holder    uuid not null,
    tenant_id uuid not null,
    id        uuid not null,
    asked_at  timestamptz not null,
    constraint upload_ask_directory_pkey primary key (holder, id)
);
comment on table upload_ask_directory is 'class: directory';
create index upload_ask_directory_tenant on upload_ask_directory (tenant_id);

-- What was made of a picture. key is the canonical text of how; the bytes lie in the
-- store beside the file's.
-- raises rendition_file_fkey: NOT_FOUND "There is no such file."
create table rendition (
    tenant_id  uuid not null,
    file_id    uuid not null,
    key        text not null,
    type       text not null,
    size       bigint not null,
    width      integer not null,
    height     integer not null,
    etag       text not null,
    created_at timestamptz not null,
    constraint rendition_pkey primary key (tenant_id, file_id, key),
    constraint rendition_file_fkey foreign key (tenant_id, file_id)
        references file (tenant_id, id) on delete cascade
);
comment on table rendition is 'class: tenant';

-- A signed link that can be revoked: then its row is gone, as when its file is.
-- raises link_file_fkey: NOT_FOUND "There is no such file."
create table link (
    tenant_id  uuid not null,
    id         uuid not null,
    version    bigint not null,
    file_id    uuid not null,
    options    text not null,
    download   boolean not null,
    created_by uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    expires_at timestamptz not null,
    constraint link_pkey primary key (tenant_id, id),
    constraint link_file_fkey foreign key (tenant_id, file_id)
        references file (tenant_id, id) on delete cascade
);
comment on table link is 'class: tenant';
create index link_expires_at on link (expires_at);
create index link_file on link (tenant_id, file_id, id);

-- How much an organisation stores: bytes of files until they are purged, and those that
-- uploads have begun.
create table storage (
    tenant_id uuid not null,
    used      bigint not null,
    reserved  bigint not null,
    constraint storage_pkey primary key (tenant_id),
    constraint storage_check check (used >= 0 and reserved >= 0)
);
comment on table storage is 'class: tenant';

-- Which folder or bucket the bytes lie in: the id in its file (or object) trellis-media.
-- marked: it is in there. sweeps counts those that began, and stands in there as well: where that is more than
-- here, the database went back in time (sweep/restore.c).
create table store_directory (
    one        boolean not null default true,
    id         uuid not null,
    created_at timestamptz not null,
    marked     boolean not null default false,
    sweeps     bigint not null default 0,
    constraint store_directory_pkey primary key (one),
    constraint store_directory_one_check check (one)
);
comment on table store_directory is 'class: directory; app: select, insert, update';

-- The sweep reads all organisations', by the _sys role.
create policy tenant on file
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy sweep on file for select to media_sys using (true);
create policy tenant on upload
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy sweep on upload for select to media_sys using (true);
create policy tenant on link
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy sweep on link to media_sys using (true);
create policy tenant on rendition
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy sweep on rendition for select to media_sys using (true);
