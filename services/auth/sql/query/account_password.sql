-- The new password, unless another one was set meanwhile.
-- expect: one CONFLICT "The password was changed in the meantime."
update account
set password_hash = :password_hash, version = version + 1, updated_at = :now
where account_id = :account_id and password_hash = :former_hash
