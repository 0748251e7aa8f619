-- A service may drop a record of the scope that asks once its time is over, to put
-- the next one in its place; others it may neither change nor drop.
drop policy scope on idempotency;
create policy scope_read on idempotency for select
    using (scope = nullif(current_setting('trellis.idem_scope', true), '')::uuid);
create policy scope_add on idempotency for insert
    with check (
        scope = nullif(current_setting('trellis.idem_scope', true), '')::uuid
        and tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
            '00000000-0000-0000-0000-000000000000'));
create policy scope_end on idempotency for delete
    using (scope = nullif(current_setting('trellis.idem_scope', true), '')::uuid
        and expires_at <= now());
comment on table idempotency is 'class: system; app: select, insert, delete';
