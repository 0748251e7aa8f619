-- Ticks whose time has come.
select name, next_at from cron
where name = any (:crons::text[]) and next_at <= now()
