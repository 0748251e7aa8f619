-- A tenant that is erased takes its keys' places along.
create index api_key_directory_by_tenant on api_key_directory (tenant_id);
