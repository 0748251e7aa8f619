-- A key that ends makes none that works longer than itself: it would be no end. One
-- that was revoked since its request came has ended, and none ends while this one is
-- being made.
-- expect: one DENIED "An API key cannot create one that outlives it."
select 1 as fine
from api_key
where tenant_id = :tenant_id and id = :maker_key_id
    and (expires_at is null or expires_at >= coalesce(:expires_at::timestamptz, 'infinity'))
for key share
