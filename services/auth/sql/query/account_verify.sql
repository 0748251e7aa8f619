-- expect: one MALFORMED "This link does not hold any more. Ask for a new letter."
update account
set email_verified = true, version = version + 1, updated_at = :now
where account_id = :account_id
