-- The credit notes of an invoice, in their order.
select c.document from credit_note c
where c.tenant_id = :tenant_id and c.invoice_id = :invoice_id
order by c.id
