-- The same for a WRITE under an idempotency key: raises where a run of it goes on.
select set_config('trellis.tenant_id', :tenant, true) is null,
    set_config('trellis.account_id', :account, true) is null,
    set_config('trellis.idem_scope', :scope, true) is null,
    set_config('statement_timeout', :timeout_ms, true) is null,
    case when pg_try_advisory_xact_lock(:lock) then true
        else trl_raise(100, 'idempotency key', 0) end
