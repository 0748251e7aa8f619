-- Used or expired ones of the account; those somebody else is dropping are left.
delete from letter
where account_id = :account_id and id in (
    select id from letter
    where account_id = :account_id and (expires_at <= :now or used_at is not null)
    order by id
    limit 100
    for update skip locked)
