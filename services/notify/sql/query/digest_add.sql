insert into digest_entry (tenant_id, account_id, due_at, id, kind, title, body, link, created_at)
values (:tenant_id, :account_id, :due_at, :id, :kind, :title, :body, :link, :now)
