-- A new password: what was known of the former one's users is forgotten.
delete from place where account_id = :account_id
