-- What is older than the copy changes nothing.
insert into account_copy (account_id, email, display_name, locale, verified, version)
values (:account_id, :email, :display_name, :locale, :verified, :version)
on conflict (account_id) do update
set email = excluded.email, display_name = excluded.display_name, locale = excluded.locale,
    verified = excluded.verified, version = excluded.version
where account_copy.version < excluded.version
