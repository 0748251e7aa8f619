-- People with something due, the nearest account ids behind one.
select distinct account_id
from digest_entry
where due_at <= :now and account_id > :after
order by account_id
limit :limit
