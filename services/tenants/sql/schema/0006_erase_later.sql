-- What other services wrote into their audit chains of a tenant goes with those chains, a
-- year after it was erased.
comment on table audit_copy is 'class: tenant; app: select; sys: insert; erase: later';
