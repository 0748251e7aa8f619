-- Who reads it at the same time elsewhere was first.
update notification set read_at = :read_at
where account_id = :account_id and id = :id and read_at is null
