-- What was shown, and what came before it.
delete from digest_entry
where account_id = :account_id and id <= :last
