-- The credit notes of invoices that credit lines of another one.
select c.document from credit_note c
join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
where c.tenant_id = :tenant_id and :id::uuid = any (i.credits)
    and i.status not in ('draft', 'void')
order by c.id
