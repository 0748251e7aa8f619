-- The account's places used last stay, as many as :keep.
delete from place
where account_id = :account_id and hash in (
    select hash from place
    where account_id = :account_id
    order by last_at desc, hash
    offset :keep::bigint
    for update skip locked)
