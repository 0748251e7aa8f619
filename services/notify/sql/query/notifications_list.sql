-- What a person was told, newest first.
select id, nullif(about_tenant, '00000000-0000-0000-0000-000000000000') as tenant_id, kind,
    title, body, link, event_id, created_at, read_at
from notification
where account_id = :account_id and id < :before
  and (not :unread::boolean or read_at is null)
  and (:only::uuid = '00000000-0000-0000-0000-000000000000' or about_tenant = :only)
order by id desc
limit :limit
