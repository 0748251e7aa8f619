update account_directory set display_name = :display_name where account_id = :account_id
