-- expect: one CONFLICT "Your account was changed at the same moment; try again."
update account
set email_verified = true, version = version + 1, updated_at = :now
where account_id = :account_id and version = :former_version
