-- Where an account was signed in to before: keyed hashes of client addresses, a bounded
-- number an account. Whoever comes from such a place is limited apart from strangers.
create table place (
    account_id uuid not null,
    hash       bytea not null,
    last_at    timestamptz not null,
    constraint place_pkey primary key (account_id, hash),
    constraint place_account_fkey foreign key (account_id) references account (account_id)
        on delete cascade,
    constraint place_hash_check check (octet_length(hash) = 16)
);
comment on table place is 'class: person';
