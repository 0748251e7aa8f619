-- What happens to something that not every member may see is for those who hold a
-- permission, and for one account that need not.
alter table feed_fresh add column also_account_id uuid;
alter table feed add column also_account_id uuid;
