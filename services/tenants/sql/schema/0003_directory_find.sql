-- The operator finds an organisation by its slug: the _sys role, which no method but
-- his can reach, reads the directory whole.
create policy sys on tenant_directory for select to tenants_sys using (true);
