insert into suppression (email, reason, created_at, until)
values (:email, :reason, :now, :until)
on conflict (email) do update set reason = excluded.reason, until = excluded.until
