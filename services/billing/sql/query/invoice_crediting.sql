-- Final invoices that credit lines of another one.
select i.document from invoice i
where i.tenant_id = :tenant_id and :id::uuid = any (i.credits)
    and i.status not in ('draft', 'void')
order by i.place
