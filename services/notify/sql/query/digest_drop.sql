-- What was shown, and nothing else: an entry has its id before its commit, so one that came
-- meanwhile may lie before these.
delete from digest_entry
where account_id = :account_id and id = any(:ids::uuid[])
