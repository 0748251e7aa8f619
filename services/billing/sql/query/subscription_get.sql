-- What billing knows of an organisation beside its profile; a row in any case.
select s.version, s.state, s.currency, s.balance, s.carried, s.coupon, s.coupon_left,
    s.clock_at, s.created_at, s.updated_at, s.prefix, s.next_invoice,
    s.next_credit_note, m.id as method_id, m.reference as method_reference,
    case when not m.expiring_told then make_timestamptz(m.expiry_year, m.expiry_month, 1,
        0, 0, 0, 'UTC') end as expiring_at,
    t.deleting,
    (select max(c.version) from catalogue_directory c) as catalogue_version
from (values (:tenant_id::uuid)) as here (tenant_id)
left join subscription s on s.tenant_id = here.tenant_id
left join payment_method m
    on m.tenant_id = here.tenant_id and m.is_default and m.status = 'usable'
left join tenant_copy t on t.tenant_id = here.tenant_id
