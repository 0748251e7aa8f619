-- For the operator: what this service knows of an organisation, as far as there is any.
select fact.name, fact.value
from (values (:tenant_id::uuid)) as here (tenant_id)
left join subscription s on s.tenant_id = here.tenant_id, lateral (values
    (1, 'subscription', s.status),
    (2, 'plan', s.plan || ' (' || s.price || ')'),
    (3, 'seats', s.seats::text),
    (4, case s.status when 'trialing' then 'trial_ends_at' else 'period_ends_at' end,
        to_char(s.period_end at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    (5, 'next_due_at', to_char(s.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    (6, 'billing_waits', (select 'the organisation is being deleted' from tenant_copy t
        where t.tenant_id = here.tenant_id and t.deleting)),
    (7, 'balance_minor', nullif(s.balance, 0) || ' ' || s.currency),
    (8, 'carried_minor', nullif(s.carried, 0) || ' ' || s.currency),
    (9, 'payment_method', (select m.kind || coalesce(' ' || m.brand, '')
            || coalesce(' ' || m.last4, '') from payment_method m
        where m.tenant_id = here.tenant_id and m.is_default)),
    (10, 'open_invoices_minor', (select string_agg(o.text, ', ' order by o.text)
        from (select count(*) || ' of ' || sum(i.amount_due) || ' ' || i.currency as text
            from invoice i where i.tenant_id = here.tenant_id and i.status = 'open'
            group by i.currency) o)),
    (11, 'test_clock', to_char(s.clock_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    (12, 'kept_by_law', (select nullif(concat_ws(', ',
            nullif(k.invoices, 0) || ' invoices', nullif(k.notes, 0) || ' credit notes',
            nullif(k.payments, 0) || ' payments',
            nullif(k.movements, 0) || ' ledger transactions'), '') from (select
        (select count(*) from invoice i where i.tenant_id = here.tenant_id
            and i.status <> 'draft') as invoices,
        (select count(*) from credit_note c where c.tenant_id = here.tenant_id) as notes,
        (select count(*) from payment p where p.tenant_id = here.tenant_id) as payments,
        (select count(*) from ledger_transaction l
            where l.tenant_id = here.tenant_id) as movements) k)),
    (13, 'audit_entries', (select h.seq::text from audit_head h
        where h.tenant_id = here.tenant_id))
) as fact(place, name, value)
where fact.value is not null
order by fact.place
