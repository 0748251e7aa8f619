-- All of an account but one (nil: all).
delete from session where account_id = :account_id and id <> :keep_id
