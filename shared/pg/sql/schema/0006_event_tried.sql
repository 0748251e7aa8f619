-- Who tried what comes next last: the server process of his connection. While that is
-- there, he lives, and what he tries has killed nobody.
alter table event_cursor add column tried_by integer not null default 0;
