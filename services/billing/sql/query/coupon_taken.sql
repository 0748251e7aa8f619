-- How many organisations have taken a coupon, and whether this one has.
select count(*) as times, coalesce(bool_or(tenant_id = :tenant_id), false) as by_it
from coupon_directory where code = :code
