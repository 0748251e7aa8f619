-- Once: what has ended stays as it ended.
update webhook_delivery set status = :status, finished_at = :now
where tenant_id = :tenant_id and id = :delivery_id and status = 'waiting'
