-- expect: one MALFORMED "This link does not hold any more. Ask for a new mail."
update letter
set used_at = :now
where account_id = :account_id and token_hash = :token_hash and purpose = :purpose::text
    and used_at is null and expires_at > :now
