-- Numbers of the installation's series are taken, if they still are the next ones.
-- expect: one PRECONDITION
insert into series_directory (prefix, tenant_id, kind, next)
values ('-' || :kind::text, '00000000-0000-0000-0000-000000000000', :kind::text,
    :last::bigint + 1)
on conflict (prefix) do update set next = excluded.next
    where series_directory.next = :was::bigint + 1
returning 1 as n
