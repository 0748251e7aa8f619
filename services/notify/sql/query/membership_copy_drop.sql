delete from membership_copy
where tenant_id = :tenant_id and account_id = :account_id
