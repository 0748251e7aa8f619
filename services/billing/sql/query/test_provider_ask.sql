-- What the provider "test" is asked for; under a key that it knows it stays what it was.
insert into test_provider_request (tenant_id, key, kind, card, currency, amount, status,
    code, asked)
values (:tenant_id, :key, :kind, :card, :currency, :amount, :status,
    nullif(:code, ''), 1)
on conflict (tenant_id, key) do update set asked = test_provider_request.asked + 1
returning kind, card, currency, amount, status, code, asked
