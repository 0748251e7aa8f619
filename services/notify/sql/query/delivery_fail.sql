-- What waited still when its job was given up.
update delivery
set status = 'failed', updated_at = :now
where tenant_id = :tenant_id and id = :delivery_id and status = 'waiting'
