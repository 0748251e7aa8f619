-- A key that ends makes none that works longer than itself: it would be no end.
-- expect: one DENIED "A key makes none that works longer than itself."
select 1 as fine
where not exists (
    select 1 from api_key
    where tenant_id = :tenant_id and id = :maker_key_id
        and expires_at < coalesce(:expires_at::timestamptz, 'infinity')
)
