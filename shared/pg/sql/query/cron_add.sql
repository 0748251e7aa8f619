-- A cron of this release: new, or with another time than it had.
insert into cron (name, spec, next_at)
values (:name::text, :spec::text, :next_at::timestamptz)
on conflict (name) do update set spec = excluded.spec, next_at = excluded.next_at
where cron.spec <> excluded.spec
