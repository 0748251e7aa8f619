-- Which digest an entry is in: a mail counts and takes out what its job claimed, and what
-- comes meanwhile is for the next one. Null: none yet.
alter table digest_entry add column digest_id uuid;
