-- Leaves something for the feed, in the transaction of its fact.
insert into feed_fresh (tenant_id, id, account_id, type, permission, also_account_id, data)
values (:tenant_id, :id, nullif(:account_id::uuid, '00000000-0000-0000-0000-000000000000'),
    :type, :permission,
    nullif(:also_account_id::uuid, '00000000-0000-0000-0000-000000000000'), :data)
