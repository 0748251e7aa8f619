-- Entries between two numbers for all members and for some accounts, as many as fit a
-- reply: rows tells how many were found before the bytes were counted. Each reader's are
-- read by themselves, from the index feed_by_reader, and no more than can be shown; what
-- is for all is ordered by account_id, which is null, since that is the index's order.
select number, id, account_id, type, permission, also_account_id, data, rows
from (
    select number, id, account_id, type, permission, also_account_id, data, count(*) over () as rows,
        sum(octet_length(data)) over (order by number) - octet_length(data) as before
    from (
        (select number, id, account_id, type, permission, also_account_id, data from feed
         where tenant_id = :tenant_id and account_id is null
             and number > :after and number <= :until
         order by account_id, number
         limit :limit)
        union all
        select f.number, f.id, f.account_id, f.type, f.permission,
            f.also_account_id, f.data
        from (select distinct unnest(:account_ids::uuid[]) as account_id) who
            cross join lateral (
                select number, id, account_id, type, permission, also_account_id, data from feed
                where tenant_id = :tenant_id and account_id = who.account_id
                    and number > :after and number <= :until
                order by number
                limit :limit) f
        order by number
        limit :limit) f
    ) g
where before < :bytes
order by number
