-- What one account is shown, by its number: under no tenant lie the entries of all
-- accounts, and who goes on after a night must not read everybody's. Those for all
-- members of an organisation lie together as well (account_id null).
-- Whoever numbers entries waits while this is built, and facts do not: they leave theirs
-- in feed_fresh. The feed holds a day.
create index feed_by_reader on feed (tenant_id, account_id, number);
