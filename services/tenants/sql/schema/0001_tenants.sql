-- Organisations, their members and invitations. Every row carries its tenant;
-- row security lets a transaction see the tenant it named and no other. What an
-- account may see across tenants (its memberships, and the directory's rows of
-- those) is readable under trellis.account_id, and never written under it.

create table tenant (
    tenant_id    uuid not null,
    slug         text collate "C" not null,
    display_name text not null,
    status       text not null,
    delete_at    timestamptz,
    version      bigint not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    constraint tenant_pkey primary key (tenant_id),
    constraint tenant_status_check check (status in ('active', 'deleting')),
    constraint tenant_delete_at_check check ((status = 'deleting') = (delete_at is not null))
);
comment on table tenant is 'class: tenant';
alter table tenant enable row level security;
alter table tenant force row level security;
create policy tenant_own on tenant
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);

create table membership (
    tenant_id  uuid not null,
    account_id uuid not null,
    role       text not null,
    version    bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- raises membership_pkey: EXISTS email "This account is a member already."
    constraint membership_pkey primary key (tenant_id, account_id),
    constraint membership_tenant_fkey foreign key (tenant_id) references tenant (tenant_id)
        on delete cascade,
    constraint membership_role_check check (role in ('viewer', 'member', 'admin', 'owner'))
);
create index membership_by_account on membership (account_id, tenant_id);
create index membership_owners on membership (tenant_id) where role = 'owner';
comment on table membership is 'class: tenant person';
alter table membership enable row level security;
alter table membership force row level security;
create policy membership_own on membership
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy membership_mine on membership for select
    using (account_id = nullif(current_setting('trellis.account_id', true), '')::uuid);

create table invitation (
    tenant_id  uuid not null,
    id         uuid not null,
    email      text not null,
    role       text not null,
    status     text not null,
    invited_by uuid,
    token_hash bytea not null,
    expires_at timestamptz not null,
    version    bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint invitation_pkey primary key (tenant_id, id),
    constraint invitation_tenant_fkey foreign key (tenant_id) references tenant (tenant_id)
        on delete cascade,
    constraint invitation_role_check check (role in ('viewer', 'member', 'admin', 'owner')),
    constraint invitation_status_check
        check (status in ('pending', 'accepted', 'revoked', 'expired')),
    constraint invitation_token_check check (octet_length(token_hash) = 32)
);
-- raises invitation_pending_key: EXISTS email "This address is invited already; resend or revoke that invitation."
create unique index invitation_pending_key on invitation (tenant_id, email)
    where status = 'pending';
comment on table invitation is 'class: tenant';
alter table invitation enable row level security;
alter table invitation force row level security;
create policy invitation_own on invitation
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);

-- The one place where tenants meet: a slug is unique among all. A row is written
-- under its tenant; a member reads it under his account, for the list of his
-- tenants. Nothing reads it by slug.
create table tenant_directory (
    slug         text collate "C" not null,
    tenant_id    uuid not null,
    display_name text not null,
    status       text not null,
    delete_at    timestamptz,
    -- raises tenant_directory_slug_key: EXISTS slug "This slug is taken."
    constraint tenant_directory_slug_key primary key (slug),
    constraint tenant_directory_tenant_key unique (tenant_id)
);
comment on table tenant_directory is 'class: directory';
alter table tenant_directory enable row level security;
alter table tenant_directory force row level security;
create policy tenant_directory_own on tenant_directory
    using (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('trellis.tenant_id', true), '')::uuid);
create policy tenant_directory_mine on tenant_directory for select
    using (exists (
        select 1 from membership m
        where m.tenant_id = tenant_directory.tenant_id
          and m.account_id = nullif(current_setting('trellis.account_id', true), '')::uuid));

-- How many tenants an account has made; the row's lock makes the limit hold.
create table founder (
    account_id uuid not null,
    made       bigint not null,
    constraint founder_pkey primary key (account_id)
);
comment on table founder is 'class: person';
alter table founder enable row level security;
alter table founder force row level security;
create policy founder_own on founder
    using (account_id = nullif(current_setting('trellis.account_id', true), '')::uuid)
    with check (account_id = nullif(current_setting('trellis.account_id', true), '')::uuid);
