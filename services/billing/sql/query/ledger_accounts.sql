-- Accounts that do not say what the rows do that they come from: final invoices less
-- credit notes, payments less what went back or is disputed, balances. A credit note of a
-- release that did not keep its parts beside its document is believed to be as it was
-- booked.
with taken as (
    select c.tenant_id, c.currency, i.status, coalesce(c.net, b.net) as net,
        coalesce(c.tax, b.tax) as tax, coalesce(c.refunded, b.refunded) as refunded
    from credit_note c
    join invoice i on i.tenant_id = c.tenant_id and i.id = c.invoice_id
    left join lateral (
        select coalesce(sum(e.amount) filter (where e.account = 'revenue'), 0) as net,
            coalesce(sum(e.amount) filter (where e.account = 'tax'), 0) as tax,
            coalesce(-sum(e.amount) filter (where e.account = 'refunds'), 0) as refunded
        from ledger_entry e where c.net is null and e.tenant_id = c.tenant_id
            and e.cause = 'credit_note' and e.cause_id = c.id
    ) b on true
    where :tenant_id::uuid is null or c.tenant_id = :tenant_id::uuid
), stands as (
    select i.tenant_id, i.currency, a.account, a.amount
    from (
        select tenant_id, currency, -sum(net) as revenue, -sum(tax) as tax,
            sum(amount_due) filter (where status = 'open') as receivable,
            sum(amount_due) filter (where status = 'uncollectible') as bad_debt
        from invoice
        where status in ('open', 'paid', 'uncollectible')
            and (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)
        group by tenant_id, currency
    ) i, lateral (values ('revenue', i.revenue), ('tax', i.tax),
        ('receivable', i.receivable), ('bad_debt', i.bad_debt)) a (account, amount)
    union all
    select tenant_id, currency, 'refunds', -sum(returned) from invoice
    where status = 'void' and returned > 0
        and (:tenant_id::uuid is null or tenant_id = :tenant_id::uuid)
    group by tenant_id, currency
    union all
    select t.tenant_id, t.currency, a.account, a.amount
    from taken t, lateral (values ('revenue', case when t.status <> 'void' then t.net end),
        ('tax', case when t.status <> 'void' then t.tax end), ('refunds', -t.refunded))
        a (account, amount)
    union all
    select p.tenant_id, p.currency, a.account, a.amount
    from (
        select tenant_id, currency,
            sum(amount) filter (where kind = 'payment' and status = 'succeeded') as paid,
            sum(amount) filter (where kind = 'refund' and status <> 'failed') as refunds,
            sum(amount) filter (where kind = 'dispute' and status = 'pending') as disputed,
            sum(amount) filter (where kind = 'dispute' and status = 'lost') as lost,
            sum(off_refunds) as off_refunds
        from payment where :tenant_id::uuid is null or tenant_id = :tenant_id::uuid
        group by tenant_id, currency
    ) p, lateral (values ('cash', p.paid), ('cash', -p.refunds), ('cash', -p.disputed),
        ('cash', -p.lost), ('refunds', p.refunds), ('disputed', p.disputed),
        ('bad_debt', p.lost), ('refunds', -p.off_refunds)) a (account, amount)
    union all
    select s.tenant_id, s.currency, a.account, a.amount
    from subscription s, lateral (values ('credit', -s.balance), ('carried', s.carried))
        a (account, amount)
    where :tenant_id::uuid is null or s.tenant_id = :tenant_id::uuid
)
select coalesce(l.tenant_id, r.tenant_id) as tenant_id, coalesce(l.account, r.account) as what,
    coalesce(l.currency, r.currency) as currency, coalesce(l.amount, 0)::bigint as booked,
    coalesce(r.amount, 0)::bigint as stands
from (
    select tenant_id, currency, account, sum(amount) as amount
    from ledger_entry where :tenant_id::uuid is null or tenant_id = :tenant_id::uuid
    group by tenant_id, currency, account
) l
full join (
    select tenant_id, currency, account, sum(amount) as amount
    from stands where amount <> 0 group by tenant_id, currency, account
) r on r.tenant_id = l.tenant_id and r.currency = l.currency and r.account = l.account
where coalesce(l.amount, 0) <> coalesce(r.amount, 0)
limit 100
