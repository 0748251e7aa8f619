-- So many versions are kept of one.
delete from template
where tenant_id = :tenant_id and kind = :kind and locale = :locale
    and version <= :version::bigint - :keep::bigint
