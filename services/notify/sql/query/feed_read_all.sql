-- The same for all accounts.
select number, id, account_id, type, permission, also_account_id, data, rows
from (
    select number, id, account_id, type, permission, also_account_id, data, count(*) over () as rows,
        sum(octet_length(data)) over (order by number) - octet_length(data) as before
    from (
        select number, id, account_id, type, permission, also_account_id, data from feed
        where tenant_id = :tenant_id and number > :after and number <= :until
        order by number
        limit :limit) f
    ) g
where before < :bytes
order by number
