-- Where an entry stands that this account may have seen.
select number from feed
where tenant_id = :tenant_id and id = :id and (account_id is null or account_id = :account_id)
