-- expect: one MALFORMED "This link is no longer valid. Ask for a new e-mail."
update letter
set used_at = :now
where account_id = :account_id and token_hash = :token_hash and purpose = :purpose::text
    and used_at is null and expires_at > :now
