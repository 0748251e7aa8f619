-- Keys are listed, and revoked, by the account that made them.
create index api_key_by_maker on api_key (tenant_id, created_by, id);
