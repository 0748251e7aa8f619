-- What is sold, who is subscribed to what, what was invoiced and paid, and the ledger.

-- The catalogue, a version a row: whatever was in force stays, for invoices name it.
create table catalogue_directory (
    version    bigint not null,
    document   bytea not null, -- billing.v1.Catalogue
    applied_at timestamptz not null,
    -- raises catalogue_directory_pkey: CONFLICT "Another catalogue was applied meanwhile; look at its changes first."
    constraint catalogue_directory_pkey primary key (version)
);
comment on table catalogue_directory is 'class: directory; app: select; sys: select, insert';

-- One row an organisation, from the moment that billing hears of it. state is what
-- life.h works with (state.proto); what others look for stands beside it. When the
-- organisation is erased, what is owed on either side stays (subscription/erase.c).
create table subscription (
    tenant_id   uuid not null,
    version     bigint not null,
    status      text,               -- null: there never was one
    plan        text,
    price       text,
    seats       integer,
    period_end  timestamptz,        -- of a trial: its end
    due_at      timestamptz,        -- when something happens by itself; null: nothing
    state       bytea not null,
    currency    text,               -- of balance and carried
    balance     bigint not null,    -- credit that the next invoices use
    carried     bigint not null,    -- debts too small to collect
    coupon      text,
    coupon_left integer,            -- periods; null: for ever
    clock_at    timestamptz,        -- a test clock's time
    prefix      text not null,      -- of its own series of numbers
    next_invoice     bigint not null,
    next_credit_note bigint not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    constraint subscription_pkey primary key (tenant_id),
    constraint subscription_balance_check check (balance >= 0 and carried >= 0),
    constraint subscription_status_check check (status in ('incomplete',
        'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid',
        'paused'))
);
comment on table subscription is 'class: tenant; erase: no';

-- What billing was told of an organisation: while it is being deleted nothing is billed.
create table tenant_copy (
    tenant_id uuid not null,
    deleting  boolean not null,
    version   bigint not null,
    constraint tenant_copy_pkey primary key (tenant_id)
);
comment on table tenant_copy is 'class: tenant; app: select';

create table profile (
    tenant_id     uuid not null,
    version       bigint not null,
    legal_name    text,
    address_line1 text,
    address_line2 text,
    postal_code   text,
    city          text,
    region        text,
    country       text,
    vat_id        text,
    tax_id        text,
    email         text,
    locale        text,
    time_zone     text,
    currency      text,
    exempt_reason text,
    updated_at    timestamptz not null,
    constraint profile_pkey primary key (tenant_id)
);
comment on table profile is 'class: tenant';

create table payment_method (
    tenant_id       uuid not null,
    id              uuid not null,
    version         bigint not null,
    provider        text not null,
    kind            text not null,
    status          text not null,
    brand           text,
    last4           text,
    expiry_month    integer,
    expiry_year     integer,
    is_default      boolean not null,
    next_action_url text,
    reference       text not null, -- what the provider knows it by; never a number
    expiring_told   boolean not null default false,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    constraint payment_method_pkey primary key (tenant_id, id),
    constraint payment_method_kind_check check (kind in ('card')),
    constraint payment_method_status_check check (status in ('pending', 'usable'))
);
-- raises payment_method_default_key: CONFLICT "Another way to pay became the default one meanwhile."
create unique index payment_method_default_key on payment_method (tenant_id)
    where is_default;
comment on table payment_method is 'class: tenant';

-- Series of numbers: one an organisation (its prefix is nobody else's), or one for the
-- installation (the nil tenant). A number is taken in the transaction that uses it.
create table series_directory (
    prefix    text collate "C" not null,
    tenant_id uuid not null,
    kind      text not null,
    next      bigint not null,
    constraint series_directory_pkey primary key (prefix),
    constraint series_directory_tenant_key unique (tenant_id, kind),
    constraint series_directory_kind_check check (kind in ('invoice', 'credit_note'))
);
comment on table series_directory is
    'class: directory; app: select, insert, update; erase: no';

-- document is all of it that never changes (billing.v1.Invoice).
create table invoice (
    tenant_id       uuid not null,
    id              uuid not null,
    version         bigint not null,
    place           bigint not null, -- 1, 2, 3 within the organisation (life.h)
    number          text,
    status          text not null,
    currency        text not null,
    net             bigint not null,
    tax             bigint not null,
    total           bigint not null,
    from_balance    bigint not null,
    carried         bigint not null,
    carried_on      bigint not null, -- too small a debt, for the next one
    amount_paid     bigint not null,
    amount_credited bigint not null,
    amount_due      bigint not null,
    attempts        integer not null,
    next_attempt_at timestamptz,
    decline_code    text,
    document        bytea not null,
    covers_until    timestamptz,     -- the end of what it is for; of it there may be credit
    issued_at       timestamptz,
    due_at          timestamptz,
    paid_at         timestamptz,
    voided_at       timestamptz,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    constraint invoice_pkey primary key (tenant_id, id),
    -- raises invoice_place_key: PRECONDITION "Somebody changed it at the same time."
    constraint invoice_place_key unique (tenant_id, place),
    -- raises invoice_number_key: PRECONDITION "Somebody changed it at the same time."
    constraint invoice_number_key unique (tenant_id, number),
    constraint invoice_status_check
        check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
    constraint invoice_number_check check ((status = 'draft') = (number is null)),
    constraint invoice_credited_check check (amount_credited >= 0 and amount_paid >= 0)
);
create index invoice_by_status on invoice (tenant_id, status, id);
create index invoice_by_cover on invoice (tenant_id, covers_until);
comment on table invoice is 'class: tenant; erase: no';

create table credit_note (
    tenant_id  uuid not null,
    id         uuid not null,
    number     text not null,
    invoice_id uuid not null,
    currency   text not null,
    total      bigint not null,
    document   bytea not null, -- billing.v1.CreditNote
    issued_at  timestamptz not null,
    constraint credit_note_pkey primary key (tenant_id, id),
    -- raises credit_note_number_key: PRECONDITION "Somebody changed it at the same time."
    constraint credit_note_number_key unique (tenant_id, number),
    constraint credit_note_invoice_fkey foreign key (tenant_id, invoice_id)
        references invoice (tenant_id, id)
);
create index credit_note_by_invoice on credit_note (tenant_id, invoice_id, id);
comment on table credit_note is 'class: tenant; app: select, insert; erase: no';

-- Money that moved, or was to. A refund, dispute or inquiry names its payment.
create table payment (
    tenant_id    uuid not null,
    id           uuid not null,
    invoice_id   uuid not null,
    method_id    uuid,
    payment_id   uuid,
    kind         text not null,
    status       text not null,
    provider     text not null,
    reference    text,              -- the provider's, or the bank's
    currency     text not null,
    amount       bigint not null,
    refunded     bigint not null,   -- of a payment: what went back, is on its way, or disputed
    decline_code text,
    action_url   text,
    created_at   timestamptz not null,
    settled_at   timestamptz,
    constraint payment_pkey primary key (tenant_id, id),
    constraint payment_invoice_fkey foreign key (tenant_id, invoice_id)
        references invoice (tenant_id, id) deferrable initially deferred,
    constraint payment_kind_check check (kind in ('payment', 'refund', 'dispute',
        'inquiry')),
    constraint payment_status_check check (status in ('pending', 'requires_action',
        'succeeded', 'failed', 'canceled', 'won', 'lost')),
    -- raises payment_refunded_check: CONFLICT "More would go back than was paid."
    constraint payment_refunded_check check (refunded between 0 and amount)
);
create index payment_by_invoice on payment (tenant_id, invoice_id, id);
-- raises payment_reference_key: CONFLICT "This payment is recorded already."
create unique index payment_reference_key
    on payment (tenant_id, provider, kind, reference) where reference is not null;
create index payment_by_payment on payment (tenant_id, payment_id)
    where payment_id is not null;
comment on table payment is 'class: tenant; erase: no';

-- What the built-in provider "test" was asked for, as a provider remembers it: under a key
-- that it knows nothing happens twice.
create table test_provider_request (
    tenant_id uuid not null,
    key       text not null,
    kind      text not null,
    card      text not null,
    currency  text not null,
    amount    bigint not null,
    status    text not null,
    code      text,
    asked     bigint not null, -- how often
    constraint test_provider_request_pkey primary key (tenant_id, key),
    constraint test_provider_request_kind_check
        check (kind in ('set_up', 'charge', 'refund'))
);
comment on table test_provider_request is 'class: tenant';

-- Double entry. A transaction is one row with all of its entries: so it balances from its
-- insert on, by a check of its own, nothing can join it later, and it costs one row.
create function ledger_sum(amounts bigint[]) returns numeric language sql immutable
    as 'select coalesce(sum(amount), 0) from unnest(amounts) amount';
create table ledger_transaction (
    tenant_id uuid not null,
    id        uuid not null,
    at        timestamptz not null,
    currency  text not null,
    cause     text not null,
    cause_id  uuid not null,
    accounts  text[] not null,
    amounts   bigint[] not null, -- debit above 0
    constraint ledger_transaction_pkey primary key (tenant_id, id),
    constraint ledger_transaction_balances_check check (ledger_sum(amounts) = 0
        and cardinality(amounts) >= 2 and cardinality(amounts) = cardinality(accounts)),
    constraint ledger_transaction_accounts_check check (accounts <@ array['receivable',
        'revenue', 'tax', 'cash', 'credit', 'carried', 'bad_debt', 'disputed', 'refunds'])
);
comment on table ledger_transaction is 'class: tenant; app: select, insert; sys: select; erase: no';

-- Its entries, a row each.
create view ledger_entry with (security_invoker = true) as
    select t.tenant_id, t.id as transaction_id, e.number, t.at, t.currency, t.cause,
        t.cause_id, e.account, e.amount
    from ledger_transaction t,
        unnest(t.accounts, t.amounts) with ordinality as e (account, amount, number);
grant select on ledger_entry to billing_app, billing_sys;

-- How often a coupon was taken, and by whom; where its cap is held, also by those that
-- are no more.
create table coupon_directory (
    code      text collate "C" not null,
    tenant_id uuid not null,
    taken_at  timestamptz not null,
    constraint coupon_directory_pkey primary key (code, tenant_id)
);
comment on table coupon_directory is
    'class: directory; app: select, insert, delete; erase: no';

-- How many trials the organisations had that an account founded. It stays when they are
-- erased, so that nobody tries anew by founding anew.
create table trial_directory (
    account_id uuid not null,
    taken      integer not null,
    constraint trial_directory_pkey primary key (account_id)
);
comment on table trial_directory is 'class: directory; app: select, insert, update';

-- What the operator gave one organisation, whatever its plan.
create table entitlement (
    tenant_id uuid not null,
    feature   text not null,
    "boolean" boolean,
    number    bigint,
    "text"    text,
    constraint entitlement_pkey primary key (tenant_id, feature)
);
comment on table entitlement is 'class: tenant';

-- The operator's ledger check and export read all organisations', by the _sys role.
create policy tenant on subscription
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy books on subscription for select to billing_sys using (true);
create policy tenant on invoice
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy books on invoice for select to billing_sys using (true);
create policy tenant on ledger_transaction
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy books on ledger_transaction for select to billing_sys using (true);
