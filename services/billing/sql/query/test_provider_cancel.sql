-- What waits for its payer at the provider "test" is canceled, and so is what it does not
-- know; the rest stays.
insert into test_provider_request (tenant_id, key, kind, card, currency, amount, status,
    asked)
values (:tenant_id, :key, 'charge', '', '', 0, 'canceled', 0)
on conflict (tenant_id, key) do update set status =
    case test_provider_request.status when 'requires_action' then 'canceled'
        else test_provider_request.status end
returning kind, card, currency, amount, status, code, asked
