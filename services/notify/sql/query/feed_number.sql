-- Numbers what waits, in the order it was left, under the lock of feed_lock: a
-- statement of its own, so that it sees what the one before it did. What was fed
-- before under the same id is not fed again.
with taken as (
    delete from feed_fresh
    where seq = any (array(select seq from feed_fresh order by seq limit :limit))
    returning tenant_id, seq, id, account_id, type, permission, also_account_id, data
), numbered as (
    select h.number + row_number() over (order by t.seq) as number, t.tenant_id, t.id,
        t.account_id, t.type, t.permission, t.also_account_id, t.data
    from taken t cross join feed_head_directory h
), moved as (
    insert into feed (tenant_id, id, number, account_id, type, permission, also_account_id,
        data, created_at)
    select tenant_id, id, number, account_id, type, permission, also_account_id, data, :now
    from numbered
    on conflict on constraint feed_pkey do nothing
    returning number, tenant_id, account_id
), listed as (
    insert into feed_change_directory (number, tenant_id, account_id, created_at)
    select number, tenant_id, account_id, :now from moved
), headed as (
    update feed_head_directory set number = (select max(number) from numbered)
    where exists (select 1 from numbered)
)
select max(number) as number, tenant_id, account_id from moved group by tenant_id, account_id
