-- What came of a payment, refund or dispute. The account's version guards it.
-- expect: one INTERNAL
update payment set status = :status, reference = coalesce(nullif(:reference, ''), reference),
    decline_code = nullif(:decline_code, ''), action_url = nullif(:action_url, ''),
    settled_at = case when :settled::boolean then :now::timestamptz end
where tenant_id = :tenant_id and id = :id
