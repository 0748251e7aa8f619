insert into account_directory (email, account_id, display_name, verified)
values (:email, :account_id, :display_name, :email_verified)
