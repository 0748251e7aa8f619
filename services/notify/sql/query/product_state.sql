-- Whether an organisation consents, and has so many events waiting.
select coalesce((select s.product_events from settings s where s.tenant_id = :tenant_id), false)
    as consents,
    exists (select 1 from product_event e where e.tenant_id = :tenant_id
        offset :most::bigint - 1) as full
