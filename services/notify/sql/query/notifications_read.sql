-- All that the person was told until now.
update notification set read_at = :now
where account_id = :account_id and read_at is null
  and (:only::uuid = '00000000-0000-0000-0000-000000000000' or about_tenant = :only)
