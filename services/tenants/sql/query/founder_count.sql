-- One more tenant of this account, unless it has made as many as it may.
-- expect: one QUOTA
insert into founder (account_id, made)
select :account_id::uuid, 1 where :allowed::bigint > 0
on conflict (account_id) do update set made = founder.made + 1
    where founder.made < :allowed::bigint
