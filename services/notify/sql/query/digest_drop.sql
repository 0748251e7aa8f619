-- What was counted, and nothing else.
delete from digest_entry
where account_id = :account_id and digest_id = :id
