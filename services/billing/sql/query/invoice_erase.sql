-- Of an organisation that is erased: invoices that never became final.
delete from invoice where tenant_id = :tenant_id and status = 'draft'
