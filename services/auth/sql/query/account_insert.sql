insert into account (account_id, email, email_verified, display_name, locale,
    password_hash, version, created_at, updated_at)
values (:account_id, :email, :email_verified, :display_name, :locale,
    :password_hash, :version, :created_at, :updated_at)
