-- Accounts and their sessions (class person), API keys (class tenant), and the
-- three directories that lead from what a caller shows to whose rows may be read.
-- No secret is kept: passwords as Argon2id, tokens and keys as BLAKE2b-256.

create table account (
    account_id     uuid not null,
    email          text collate "C" not null,
    email_verified boolean not null,
    display_name   text not null,
    locale         text,
    password_hash  text not null,
    version        bigint not null,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    constraint account_pkey primary key (account_id),
    constraint account_email_check check (email = lower(email))
);
comment on table account is 'class: person';

-- One row an account: its address is unique among all, and these are the facts
-- other services may ask for, of accounts they hold the ids of.
create table account_directory (
    email        text collate "C" not null,
    account_id   uuid not null,
    display_name text not null,
    verified     boolean not null,
    -- raises account_directory_email_key: EXISTS email "This address has an account already; sign in, or ask for a new password."
    constraint account_directory_email_key primary key (email),
    constraint account_directory_account_key unique (account_id)
);
comment on table account_directory is 'class: directory';

create table session (
    account_id   uuid not null,
    id           uuid not null,
    token_hash   bytea not null,
    address      text not null,
    user_agent   text not null,
    created_at   timestamptz not null,
    last_used_at timestamptz not null,
    expires_at   timestamptz not null,
    constraint session_pkey primary key (account_id, id),
    constraint session_account_fkey foreign key (account_id) references account (account_id)
        on delete cascade,
    constraint session_token_check check (octet_length(token_hash) = 32)
);
comment on table session is 'class: person';

-- From a token's hash to its session.
create table session_directory (
    token_hash bytea not null,
    account_id uuid not null,
    session_id uuid not null,
    constraint session_directory_pkey primary key (token_hash)
);
create index session_directory_by_account on session_directory (account_id, session_id);
comment on table session_directory is 'class: directory';

-- A letter's token, good once: to prove the address, or to set a new password.
create table letter (
    account_id uuid not null,
    id         uuid not null,
    purpose    text not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    constraint letter_pkey primary key (account_id, id),
    constraint letter_account_fkey foreign key (account_id) references account (account_id)
        on delete cascade,
    constraint letter_purpose_check check (purpose in ('verify', 'reset')),
    constraint letter_token_check check (octet_length(token_hash) = 32)
);
comment on table letter is 'class: person';

create table api_key (
    tenant_id    uuid not null,
    id           uuid not null,
    name         text not null,
    permissions  text[] not null,
    created_by   uuid,
    key_hash     bytea not null,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    constraint api_key_pkey primary key (tenant_id, id),
    constraint api_key_hash_check check (octet_length(key_hash) = 32)
);
comment on table api_key is 'class: tenant';

-- From the id inside a key to its tenant.
create table api_key_directory (
    key_id    uuid not null,
    tenant_id uuid not null,
    constraint api_key_directory_pkey primary key (key_id)
);
comment on table api_key_directory is 'class: directory';
