-- Asks a process about an upload that it writes.
insert into upload_ask_directory (holder, tenant_id, id, asked_at)
values (:holder, :tenant_id, :id, :now)
on conflict (holder, id) do update set asked_at = excluded.asked_at
