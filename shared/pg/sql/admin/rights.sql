-- Row security, policies and rights of every table by its class (conventions in
-- tools/sqlgen). Run after each migration with the schema as search_path. Rights
-- are made anew each time, so that what a comment no longer gives is gone.
do $do$ declare s constant text := current_schema(); t record; app text; sys text; begin
 for t in select c.oid, c.relname, coalesce(obj_description(c.oid, 'pg_class'), '') as note,
  substring(obj_description(c.oid, 'pg_class')
   from '^class: (tenant person|tenant|person|system|directory)(;|$)') as class,
  exists (select from pg_policy where polrelid = c.oid and polname not in ('owner', 'sys')) as has_own,
  exists (select from pg_policy where polrelid = c.oid and polname = 'owner') as has_owner,
  exists (select from pg_policy where polrelid = c.oid and polname = 'sys') as has_sys
  from pg_class c where c.relnamespace = s::regnamespace and c.relkind in ('r', 'p')
   and not c.relispartition loop
 if t.class is null then continue; end if;
 app := coalesce(substring(t.note from 'app: ([a-z_, ()]+)'), case t.class
  when 'system' then 'insert' else 'select, insert, update, delete' end);
 sys := coalesce(substring(t.note from 'sys: ([a-z_, ()]+)'), 'select, insert, update, delete');
 execute format('revoke all on %I.%I from %I, %I, public', s, t.relname, s || '_app', s || '_sys');
 if app <> 'none' then execute format('grant %s on %I.%I to %I', app, s, t.relname, s || '_app'); end if;
 if sys <> 'none' then execute format('grant %s on %I.%I to %I', sys, s, t.relname, s || '_sys'); end if;
 if t.class = 'directory' then continue; end if;
 execute format('alter table %I.%I enable row level security, force row level security', s, t.relname);
 if not t.has_own and t.class in ('tenant', 'tenant person') then execute format(
  'create policy tenant on %I.%I using (tenant_id = nullif(current_setting(''trellis.tenant_id'', true), '''')::uuid)', s, t.relname); end if;
 if not t.has_own and t.class in ('person', 'tenant person') then execute format(
  'create policy person on %I.%I using (account_id = nullif(current_setting(''trellis.account_id'', true), '''')::uuid)', s, t.relname); end if;
 if not t.has_own and t.class = 'system' and app <> 'none' then execute format(
  'create policy tenant on %I.%I for insert with check (tenant_id = coalesce(nullif(current_setting(''trellis.tenant_id'', true), '''')::uuid, ''00000000-0000-0000-0000-000000000000''))', s, t.relname); end if;
 if not t.has_owner then execute format(
  'create policy owner on %I.%I to %I using (true) with check (true)', s, t.relname, s || '_owner'); end if;
 if not t.has_sys and t.class = 'system' then execute format(
  'create policy sys on %I.%I to %I using (true) with check (true)', s, t.relname, s || '_sys'); end if;
 end loop;
 execute format('grant usage on all sequences in schema %I to %I, %I', s, s || '_app', s || '_sys');
 end $do$
