-- How often was counted by the job.
update delivery
set status = :status, attempts = :attempts, detail = :detail, updated_at = :now
where tenant_id = :tenant_id and id = :delivery_id
