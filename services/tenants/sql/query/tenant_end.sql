-- An organisation whose time may be over, so that nobody restores it meanwhile.
select status, delete_at from tenant where tenant_id = :tenant_id for update
