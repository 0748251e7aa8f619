-- Counting stops at a bound; the partial index holds no more than what is unread.
select count(*) as unread
from (
    select from notification
    where account_id = :account_id and read_at is null
      and (:only::uuid = '00000000-0000-0000-0000-000000000000' or about_tenant = :only)
    limit :limit) n
