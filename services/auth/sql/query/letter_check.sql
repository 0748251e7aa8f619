-- Whether a token would hold, before a password is hashed for it.
-- expect: one MALFORMED "This link is no longer valid. Ask for a new e-mail."
select a.account_id, a.version, a.email, a.email_verified, a.display_name, a.locale,
    a.created_at, a.updated_at, a.password_hash
from letter l
join account a on a.account_id = l.account_id
where l.account_id = :account_id and l.token_hash = :token_hash
    and l.purpose = :purpose::text and l.used_at is null and l.expires_at > :now
    and not (a.email_verified and :purpose::text = 'verify')
