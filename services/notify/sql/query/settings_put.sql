-- Still as its reader saw it, or not there where there was none.
-- expect: one PRECONDITION
insert into settings (tenant_id, version, sender_name, reply_to, locale, slack_url, updated_at)
values (:tenant_id, :version, :sender_name, :reply_to, :locale, :slack_sealed, :updated_at)
on conflict (tenant_id) do update
set version = :version, sender_name = :sender_name, reply_to = :reply_to, locale = :locale,
    slack_url = :slack_sealed, updated_at = :updated_at
where settings.version = :former_version
