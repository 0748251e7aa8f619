-- What came of a payment that is not settled yet.
-- expect: one CONFLICT "This payment is settled already."
update payment set status = :status, reference = nullif(:reference, ''),
    decline_code = nullif(:decline_code, ''), action_url = nullif(:action_url, ''),
    settled_at = case when :settled::boolean then :now::timestamptz end
where tenant_id = :tenant_id and id = :id and settled_at is null
