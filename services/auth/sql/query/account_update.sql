-- Writes what was read and changed, unless somebody was faster.
-- expect: one PRECONDITION "Your account was changed in the meantime; read it again."
update account
set display_name = :display_name, locale = :locale, version = :version,
    updated_at = :updated_at
where account_id = :account_id and version = :former_version
