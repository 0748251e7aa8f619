insert into note (account_id, id, text) values (:account, :id, :text)
