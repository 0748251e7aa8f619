insert into upload (tenant_id, id, collection, name, type, metadata, length, received,
    reserved, generation, holder, concat, parts, final_key, request_key, uploader, created_by,
    created_at, expires_at, finished_at)
values (:tenant_id, :id, :collection, :name, :type, :metadata, :length, :received, :reserved,
    :generation, :holder, :concat, :parts, :final_key, :request_key, :uploader, :created_by,
    :now, :expires_at, :finished_at)
