-- A credit note, with all of it in its document.
insert into credit_note (tenant_id, id, number, invoice_id, currency, net, tax, total,
    refunded, document, issued_at)
values (:tenant_id, :id, :number, :invoice_id, :currency, :net, :tax, :total, :refunded,
    :document, :issued_at)
