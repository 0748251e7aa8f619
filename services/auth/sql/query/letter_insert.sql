-- Inserts nothing where the account does not exist, or its address is proven already
-- and this would prove it: the unknown cost what the known do.
insert into letter (account_id, id, purpose, token_hash, created_at, expires_at)
select :account_id, :letter_id, :purpose::text, :token_hash, :now, :letter_expires_at
from account
where account_id = :account_id and not (email_verified and :purpose::text = 'verify')
