-- What waits for its payer at the provider "test" becomes something else.
-- expect: one CONFLICT "This was answered at the same moment."
update test_provider_request set status = :status, code = nullif(:code, '')
where tenant_id = :tenant_id and key = :key and status = 'requires_action'
