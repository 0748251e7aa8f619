update account_directory set verified = true where account_id = :account_id
