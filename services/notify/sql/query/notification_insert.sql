-- A person who was told already is not told again.
insert into notification (account_id, id, about_tenant, kind, title, body, link, event_id,
    created_at)
values (:account_id, :id, :about_tenant, :kind, :title, :body, :link, :event_id, :now)
on conflict (account_id, event_id, kind) do nothing
