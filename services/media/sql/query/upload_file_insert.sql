-- The file that an upload has become.
insert into file (tenant_id, id, version, collection, name, type, size, sha256, state, scan,
    created_by, maker, created_at, updated_at)
values (:tenant_id, :id, :version, :collection, :name, :type, :size, :sha256, :state, :scan,
    :created_by, :maker, :created_at, :updated_at)
