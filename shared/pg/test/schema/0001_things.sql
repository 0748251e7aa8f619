-- Tables of the tests of shared/pg.
create table thing (
    tenant_id uuid not null,
    id uuid not null,
    -- raises thing_name_key: EXISTS name "This name is taken."
    name text not null,
    size integer,
    amount bigint,
    few bigint,
    ok boolean,
    ratio double precision,
    share real,
    at timestamptz,
    state text,
    blob bytea,
    tags text[],
    ids uuid[],
    numbers bigint[],
    small_numbers integer[],
    states text[],
    inner_packed bytea,
    json jsonb,
    version bigint not null default 1,
    primary key (tenant_id, id),
    constraint thing_name_key unique (tenant_id, name),
    constraint thing_size_check check (size <> 13)
);
comment on table thing is 'class: tenant';

create table note (
    account_id uuid not null,
    id uuid not null,
    text text not null,
    primary key (account_id, id)
);
comment on table note is 'class: person';

create table thing_directory (name text primary key, tenant_id uuid not null);
comment on table thing_directory is 'class: directory';

-- Counts what rollbacks do not take back.
create sequence clash;

-- Fails or dawdles at commit, as a deferred constraint would.
create function late() returns trigger language plpgsql as $$
begin
    if new.name = 'fails at commit' then
        raise exception using errcode = 'check_violation', constraint = 'thing_late',
            message = 'too late';
    end if;
    if new.name like 'clashes %' and nextval('pgtest.clash') <= substring(new.name, '\d+')::bigint then
        raise exception using message = 'made by the test', errcode =
            case when new.name like '%deadlock' then '40P01' else '40001' end;
    end if;
    if new.name like 'sleeps at commit%' then
        perform pg_sleep(0.4);
    end if;
    return null;
end
$$;
-- raises thing_late: CONFLICT name "This name comes too late."
create constraint trigger thing_late after insert or update on thing
    deferrable initially deferred for each row execute function late();
