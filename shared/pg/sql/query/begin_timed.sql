-- The same with a statement_timeout that differs from the session's.
select set_config('trellis.tenant_id', :tenant, true) is null,
    set_config('trellis.account_id', :account, true) is null,
    set_config('trellis.idem_scope', :scope, true) is null,
    set_config('statement_timeout', :timeout_ms, true) is null
