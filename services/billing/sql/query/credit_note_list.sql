-- Credit notes, the newest first.
select c.document from credit_note c
where c.tenant_id = :tenant_id and c.id < :before
    and (:invoice_id::uuid is null or c.invoice_id = :invoice_id::uuid)
order by c.id desc limit :limit
