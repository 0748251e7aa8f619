-- What open streams show: each thing that a person or the members of an organisation
-- may see as it happens. Kept for a day, so that a stream that broke can go on.

-- What a fact's transaction leaves. A number is given only to what is committed, by the
-- sequencer (feed_number), so that a reader who stands at a number missed nothing
-- before it.
create table feed_fresh (
    tenant_id  uuid not null, -- nil: about the account
    seq        bigint generated always as identity,
    id         uuid not null,
    account_id uuid,          -- null: all members that hold the permission
    type       text not null,
    permission text,
    data       text not null, -- a CloudEvent in JSON
    constraint feed_fresh_pkey primary key (seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
comment on table feed_fresh is 'class: system';

-- The same with its number, which rises over all of the platform.
create table feed (
    tenant_id  uuid not null,
    id         uuid not null,
    number     bigint not null,
    account_id uuid,
    type       text not null,
    permission text,
    data       text not null,
    created_at timestamptz not null,
    constraint feed_pkey primary key (tenant_id, id),
    constraint feed_number_key unique (tenant_id, number)
);
create index feed_by_age on feed (created_at);
comment on table feed is 'class: system; app: select';
-- What is about an account lies under no tenant; the statement names the account.
create policy reader on feed for select
    using (tenant_id = coalesce(nullif(current_setting('trellis.tenant_id', true), '')::uuid,
        '00000000-0000-0000-0000-000000000000'));

-- Whose feed went on, and nothing else: what an edge asks each second.
create table feed_change_directory (
    number     bigint not null,
    tenant_id  uuid not null,
    account_id uuid,
    created_at timestamptz not null,
    constraint feed_change_pkey primary key (number)
);
create index feed_change_by_age on feed_change_directory (created_at);
comment on table feed_change_directory is 'class: directory; app: select';

-- The last number. Its row lock elects the one who numbers.
create table feed_head_directory (
    one    boolean not null default true,
    number bigint not null,
    constraint feed_head_pkey primary key (one),
    constraint feed_head_one_check check (one)
) with (fillfactor = 50);
comment on table feed_head_directory is 'class: directory; app: select';
insert into feed_head_directory (number) values (0);
