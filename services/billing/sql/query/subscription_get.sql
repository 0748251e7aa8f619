-- What billing knows of an organisation beside its profile.
select s.id, s.version, s.state, s.currency, s.balance, s.carried, s.coupon, s.coupon_left,
    s.founder, s.clock_at, s.created_at, s.updated_at, s.prefix, s.next_invoice,
    s.next_credit_note, m.id as method_id, m.reference as method_reference
from subscription s
left join payment_method m
    on m.tenant_id = s.tenant_id and m.is_default and m.status = 'usable'
where s.tenant_id = :tenant_id
