-- These two are under no tenant, whatever their column says: none is sought in them when
-- one is erased.
comment on table account_copy is 'class: system; app: none; erase: no';
comment on table suppression is 'class: system; app: none; erase: no';
create index digest_entry_by_tenant on digest_entry (tenant_id);
