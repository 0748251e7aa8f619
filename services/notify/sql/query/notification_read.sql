-- Nothing is changed where it was read elsewhere at the same time.
update notification set read_at = :read_at
where account_id = :account_id and id = :id and read_at is null
