-- What the provider "test" knows of a key.
-- expect: one NOT_FOUND
select kind, card, currency, amount, status, code, asked from test_provider_request
where tenant_id = :tenant_id and key = :key
