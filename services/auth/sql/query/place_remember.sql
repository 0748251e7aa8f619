-- Writes only where the place is new or was last written a day ago, so that the logins
-- of one account do not wait for each other.
insert into place (account_id, hash, last_at)
select :account_id::uuid, :place::bytea, :now::timestamptz
where not exists (
    select 1 from place
    where account_id = :account_id::uuid and hash = :place::bytea
        and last_at > :now::timestamptz - interval '1 day')
on conflict (account_id, hash) do update set last_at = excluded.last_at
