insert into preference_choice (account_id, kind, channel, enabled)
values (:account_id, :kind, 'email', false)
on conflict (account_id, kind, channel) do update set enabled = false
