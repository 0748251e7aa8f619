-- All that waits for a person goes into this digest, also what one that never went had
-- claimed: a person has one at a time.
update digest_entry set digest_id = :id
where account_id = :account_id and digest_id is distinct from :id
