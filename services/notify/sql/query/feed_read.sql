-- Entries between two numbers for all members and for some accounts, as many as fit a
-- reply: rows tells how many were found before the bytes were counted.
select number, id, account_id, type, permission, data, rows
from (
    select number, id, account_id, type, permission, data, count(*) over () as rows,
        sum(octet_length(data)) over (order by number) - octet_length(data) as before
    from (
        select number, id, account_id, type, permission, data from feed
        where tenant_id = :tenant_id and number > :after and number <= :until
          and (account_id is null or :all_accounts or account_id = any (:account_ids))
        order by number
        limit :limit) f
    ) g
where before < :bytes
order by number
