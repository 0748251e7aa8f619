-- trellis ledger check holds every account against the rows that it comes from, so the
-- _sys role reads payments and credit notes of all organisations, too. What a credit note
-- took back, without tax and as tax, and what of it went back to the payer; null in those
-- of a release before this one.
alter table credit_note add column net bigint, add column tax bigint,
    add column refunded bigint;

drop policy if exists tenant on payment;
create policy tenant on payment
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy books on payment for select to billing_sys using (true);
drop policy if exists tenant on credit_note;
create policy tenant on credit_note
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy books on credit_note for select to billing_sys using (true);

-- The invoices whose lines an invoice credits, so that a credit note gives no more of them
-- than is left.
alter table invoice add column credits uuid[];

-- The same sum without planning: a function in SQL is planned anew by each insert that a
-- check of it judges, and that was the dearest part of an invoice.
create or replace function ledger_sum(amounts bigint[]) returns numeric
language plpgsql immutable as $$
declare
    sum numeric := 0;
    amount bigint;
begin
    foreach amount in array amounts loop
        sum := sum + coalesce(amount, 0);
    end loop;
    return sum;
end
$$;

-- Of what was paid of an invoice: what went back or is disputed, and no credit note has
-- taken back since (of a void one: what its payer therefore did not get as balance; below
-- 0: what the payer has to get back); and what became balance, and may be taken from there.
alter table invoice add column returned bigint not null default 0,
    add column in_balance bigint not null default 0;
-- What was booked against the account refunds because of it: of a refund or dispute what
-- was taken from the balance, or, below 0, became balance as nothing came of it; of a
-- payment what could not become balance.
alter table payment add column off_refunds bigint not null default 0;
