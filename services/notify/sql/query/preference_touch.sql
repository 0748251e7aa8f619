-- A choice was made beside the whole: who read it before has an old version.
insert into preference (account_id, version, digest, time_zone, updated_at)
values (:account_id, 1, 'immediate', 'UTC', :now)
on conflict (account_id) do update set version = preference.version + 1, updated_at = :now
