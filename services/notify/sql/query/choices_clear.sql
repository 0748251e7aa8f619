delete from preference_choice
where account_id = :account_id
