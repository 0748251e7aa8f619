-- One of the trials that a founder's organisations may have; of two at once the second
-- waits for the first.
-- expect: one QUOTA
insert into trial_directory (account_id, taken)
values (:account_id, 1)
on conflict (account_id) do update set taken = trial_directory.taken + 1
where trial_directory.taken < :most::integer
returning taken
