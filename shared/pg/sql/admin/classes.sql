-- What is wrong with the tables of schema $1, a sentence a row: classes, row
-- security, keys, policies, views, functions, roles. Run after each migration. A
-- partition is reached only through its table: nobody has rights on it.
with recursive t as (select c.oid, c.relname, c.relrowsecurity and c.relforcerowsecurity as forced,
  r.rolname as owner, coalesce(substring(obj_description(c.oid, 'pg_class')
   from '^class: (tenant person|tenant|person|system|directory)(;|$)'), '') as class,
  obj_description(c.oid, 'pg_class') as said,
  substring(obj_description(c.oid, 'pg_class') from 'erase: ([a-z]+)') as erase
 from pg_class c join pg_roles r on r.oid = c.relowner
 where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition),
col as (select a.attrelid, a.attname, a.attnum, a.attnotnull from pg_attribute a
 join t on t.oid = a.attrelid where a.attnum > 0 and not a.attisdropped),
e as (select oid, relname from t where class not in ('', 'person') and erase is null and exists
 (select from col where attrelid = t.oid and attname = 'tenant_id')),
leads (oid, at) as (select k.conrelid, k.confrelid from pg_constraint k join e on e.oid = k.conrelid
  where k.contype = 'f' and k.confrelid <> k.conrelid
 union select leads.oid, k.confrelid from leads join pg_constraint k on k.conrelid = leads.at
  where k.contype = 'f' and k.confrelid <> k.conrelid),
p as (select t.relname, t.class, pol.polname, pol.polcmd,
  coalesce(pg_get_expr(pol.polqual, t.oid), '') as qual,
  coalesce(pg_get_expr(pol.polwithcheck, t.oid), pg_get_expr(pol.polqual, t.oid), '') as checks
 from t join pg_policy pol on pol.polrelid = t.oid where pol.polpermissive
 and not (pol.polroles <@ array[$1 || '_owner', $1 || '_sys']::regrole[]::oid[]))
select format('table %s has no class: comment on table %s is ''class: tenant'' (or person, tenant person, system, directory)%s', relname, relname, ', and not ''' || said || '''')
 from t where class = ''
 union all select format('the partition %s may be reached past its table', relname) from pg_class c
 where relnamespace = $1::regnamespace and relispartition and exists (select from aclexplode(relacl) a
  where a.grantee <> c.relowner)
 union all select format('table %s: row security is not enabled and forced', relname)
 from t where class in ('tenant', 'person', 'tenant person', 'system') and not forced
 union all select format('table %s: class directory, but its name does not end in _directory', relname)
 from t where class = 'directory' and relname not like '%\_directory'
 union all select format('table %s belongs to %s and not to %s_owner', relname, owner, $1)
 from t where owner <> $1 || '_owner'
 union all select format('table %s: class %s without a column tenant_id that is not null', relname, class)
 from t where class in ('tenant', 'tenant person') and not exists (select from col
  where attrelid = t.oid and attname = 'tenant_id' and attnotnull)
 union all select format('table %s: class %s without a column account_id', relname, class)
 from t where class in ('person', 'tenant person') and not exists (select from col
  where attrelid = t.oid and attname = 'account_id')
 union all select format('table %s has no primary key', relname) from t where not exists
  (select from pg_index i where i.indrelid = t.oid and i.indisprimary)
 union all select format('table %s: the unique index %s does not carry tenant_id', relname,
  i.indexrelid::regclass) from t join pg_index i on i.indrelid = t.oid and i.indisunique
 where class in ('tenant', 'tenant person') and not exists (select from col
  where attrelid = t.oid and attname = 'tenant_id' and attnum = any (i.indkey))
 union all select format('table %s: the foreign key %s does not carry tenant_id', t.relname, k.conname)
 from t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
 join t f on f.oid = k.confrelid and f.class <> 'directory'
 where t.class in ('tenant', 'tenant person') and not exists (select from col
  where attrelid = t.oid and attname = 'tenant_id' and attnum = any (k.conkey))
 union all select format('table %s: the policy %s does not hold rows to the %s', relname, polname, class)
 from p where (class = 'tenant' and (polcmd <> 'a' and qual not like '%trellis.tenant_id%'
   or checks not like '%trellis.tenant_id%'))
  or (class = 'person' and (polcmd <> 'a' and qual not like '%trellis.account_id%'
   or checks not like '%trellis.account_id%'))
  or (class = 'tenant person' and (polcmd <> 'a' and qual not like '%trellis.%'
   or checks not like '%trellis.%'))
  or (class = 'system' and polcmd <> 'r' and checks not like '%trellis.%')
 union all select format('table %s: class %s without a policy', relname, class) from t
 where class in ('tenant', 'person', 'tenant person') and not exists
  (select from p where p.relname = t.relname)
 union all select format('table %s: erase: %s is neither no nor later', relname, erase)
 from t where erase not in ('no', 'later')
 union all select format('table %s: %s_sys may not delete the rows of a tenant that is erased: give it ''sys: select, delete'', or say ''erase: no''', relname, $1)
 from e where not (has_table_privilege($1 || '_sys', oid, 'select') and has_table_privilege($1 || '_sys', oid, 'delete'))
 union all select format('the foreign keys of %s lead back to it, so that no order erases a tenant: say ''erase: no'' of a table whose rows go with another''s', relname)
 from e where exists (select from leads where leads.oid = e.oid and leads.at = e.oid)
 union all select format('the view %s passes row security: with (security_invoker = true)', relname)
 from pg_class where relnamespace = $1::regnamespace and relkind = 'v'
  and not coalesce(reloptions @> array['security_invoker=true'], false)
 union all select format('the materialized view %s passes row security', relname)
 from pg_class where relnamespace = $1::regnamespace and relkind = 'm'
 union all select format('the function %s is SECURITY DEFINER', proname)
 from pg_proc where pronamespace = $1::regnamespace and prosecdef
 union all select format('the role %s may pass row security', rolname) from pg_roles
 where rolname in ($1 || '_app', $1 || '_sys') and (rolsuper or rolbypassrls
  or pg_has_role(oid, $1 || '_owner', 'member'))
 union all select format('the role %s may make temporary tables, which hide those of that name: revoke temporary on database %I from public', rolname, current_database())
 from pg_roles where rolname in ($1 || '_app', $1 || '_sys')
  and has_database_privilege(oid, current_database(), 'temporary')
