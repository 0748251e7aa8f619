-- Still as its reader saw it, or not there where there was none.
-- expect: one PRECONDITION
insert into preference (account_id, version, digest, time_zone, quiet_from_minute,
    quiet_until_minute, updated_at)
values (:account_id, :version, :digest, :time_zone, :quiet_from_minute,
    :quiet_until_minute, :updated_at)
on conflict (account_id) do update
set version = :version, digest = :digest, time_zone = :time_zone,
    quiet_from_minute = :quiet_from_minute, quiet_until_minute = :quiet_until_minute,
    updated_at = :updated_at
where preference.version = :former_version
