-- Leaves for the feed what a person was told, if this transaction did tell it.
insert into feed_fresh (tenant_id, id, account_id, type, permission, data)
select :tenant_id, id, account_id, :type, null, :data
from notification
where account_id = :account_id and id = :id
