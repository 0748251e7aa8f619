-- Erasing a tenant: what a service has of one that is no more goes, table by table and
-- piece by piece (bus, erase.c, says when). Which tables that are, and in what order, is
-- said by their classes and foreign keys.

-- A tenant that is being erased here, or was. The row stays: by it a further erasure does
-- no harm, events that come late are left out, and the operator sees how far it is.
create table erasure (
    tenant_id   uuid not null primary key,
    began_at    timestamptz not null default now(),
    gone        bigint not null default 0, -- rows so far
    finished_at timestamptz,
    later_at    timestamptz                -- when what is kept for a year went, too
);
create index erasure_under_way on erasure (began_at) where finished_at is null;
comment on table erasure is 'class: system; app: none; erase: no';

-- Proof of who did what, the erasing included: a year longer.
comment on table audit is 'class: system; app: select, insert; sys: select; erase: later';
comment on table audit_head is
    'class: system; app: select, insert, update; sys: select; erase: later';
-- These go by themselves: answers once their time is over, events with their day, after
-- all subscribers have read them. Jobs are ended before the rest (erasure_jobs).
comment on table idempotency is 'class: system; app: select, insert, delete; erase: no';
comment on table outbox is 'class: system; erase: no';
comment on table event_log is 'class: system; app: none; erase: no';
comment on table job is 'class: system; app: insert, '
    'select (tenant_id, kind, key, state, run_at, ending, cancel, ended_at), '
    'update (key, state, run_at, ending, cancel, ended_at); erase: no';

-- The tables whose rows of a tenant go at once ('now') or after a year ('later'), those
-- that refer to others before these.
create function trl_erasable(at text) returns text[]
language sql stable as $$
    with recursive here as (
        select c.oid, c.relname from pg_class c
        where c.relnamespace = current_schema()::text::regnamespace
            and c.relkind in ('r', 'p') and not c.relispartition
            and obj_description(c.oid, 'pg_class')
                ~ '^class: (tenant person|tenant|system|directory)(;|$)'
            and coalesce(substring(obj_description(c.oid, 'pg_class')
                from 'erase: ([a-z]+)'), 'now') = at
            and exists (select from pg_attribute a where a.attrelid = c.oid
                and a.attname = 'tenant_id' and not a.attisdropped)
    ), way (oid, depth) as (
        select oid, 0 from here
        union
        select k.confrelid, way.depth + 1
        from way join pg_constraint k on k.conrelid = way.oid and k.contype = 'f'
        where k.confrelid <> k.conrelid and way.depth < 100
    )
    select coalesce(array_agg(relname::text order by depth, relname), '{}')
    from (select here.relname, max(way.depth) as depth
        from here join way on way.oid = here.oid group by here.relname) t
$$;

-- Deletes up to so many rows of a tenant from one table; gives how many. Where rows refer
-- to others of their own table that would stay, all go together.
create function trl_erase_rows(tenant uuid, name text, most integer) returns bigint
language plpgsql as $$
declare
    gone bigint;
begin
    if exists (select from pg_constraint k where k.contype = 'f'
            and k.conrelid = to_regclass(quote_ident(name)) and k.confrelid = k.conrelid
            and k.confdeltype in ('a', 'r')) then
        most := null;
    end if;
    execute format('delete from %I where tenant_id = $1 and ctid = any (array('
        'select ctid from %I where tenant_id = $1 limit $2))', name, name)
        using tenant, most;
    get diagnostics gone = row_count;
    return gone;
end
$$;

-- A piece, from a place (1: the first table) on: the rows that went, and the place where
-- the next piece begins; 0 where there is none.
create function trl_erase_piece(tenant uuid, at text, inout place integer, most integer,
    out gone bigint)
language plpgsql as $$
declare
    tables constant text[] := trl_erasable(at);
begin
    gone := 0;
    while place <= cardinality(tables) loop
        gone := trl_erase_rows(tenant, tables[place], most);
        exit when gone > 0;
        place := place + 1;
    end loop;
    if place > cardinality(tables) then
        place := 0;
    end if;
end
$$;

-- Waits until every transaction has ended that looked whether a tenant is erased, and did
-- not see what was committed before this one began: a look holds the table's lock to the
-- end of its transaction.
create function trl_erase_await() returns boolean
language plpgsql as $$
begin
    perform set_config('lock_timeout', '1000', true);
    lock table erasure in access exclusive mode;
    return true;
end
$$;

-- For maintain: a piece of what is kept for a time after a tenant was erased; 0: that is
-- all.
create function trl_erase_later(before timestamptz, most integer) returns bigint
language plpgsql as $$
declare
    tenant uuid;
    piece record;
begin
    loop
        select tenant_id into tenant from erasure
        where finished_at < before and later_at is null
        order by finished_at limit 1;
        exit when tenant is null;
        select * into piece from trl_erase_piece(tenant, 'later', 1, most);
        if piece.gone > 0 then
            return piece.gone;
        end if;
        update erasure set later_at = now() where tenant_id = tenant;
    end loop;
    return 0;
end
$$;
