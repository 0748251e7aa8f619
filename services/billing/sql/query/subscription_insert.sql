-- The first that billing hears of an organisation. Its prefix is nobody else's.
-- expect: one PRECONDITION
with taken as (
    insert into series_directory (prefix, tenant_id, kind, next)
    values (:prefix, :tenant_id, 'invoice', 1) on conflict do nothing returning prefix
)
insert into subscription (tenant_id, version, status, plan, price, seats,
    period_end, due_at, state, currency, balance, carried, coupon, coupon_left, clock_at,
    prefix, next_invoice, next_credit_note, created_at, updated_at)
select :tenant_id, :version::bigint, :status::text, :plan::text, :price::text,
    :seats::integer, :period_end::timestamptz, :due_at::timestamptz, :state::bytea,
    :currency::text, coalesce(:balance::bigint, 0), coalesce(:carried::bigint, 0),
    :coupon::text, :coupon_left::integer, :clock_at::timestamptz, taken.prefix, :next_invoice::bigint,
    :next_credit_note::bigint, :now::timestamptz, :now::timestamptz
from taken
on conflict do nothing
returning version
