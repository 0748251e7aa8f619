-- First in every batch: whose rows the transaction may see. Empty means nobody's.
select set_config('trellis.tenant_id', :tenant, true) is null,
    set_config('trellis.account_id', :account, true) is null,
    set_config('trellis.idem_scope', :scope, true) is null
