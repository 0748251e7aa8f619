-- Upkeep of the event log by days, for maintain alone (under the owner's role).

-- Partitions for the days to come; gives how many it made. A day that the default
-- partition already holds rows of stays there.
create function trl_event_days_make(ahead integer) returns bigint
language plpgsql as $$
declare
    today constant date := (now() at time zone 'utc')::date;
    made bigint := 0;
    day date;
    name text;
begin
    for i in 0 .. ahead loop
        day := today + i;
        name := 'event_log_' || to_char(day, 'YYYYMMDD');
        if to_regclass(name) is not null
            or exists (select from event_log_default d where d.day = today + i) then
            continue;
        end if;
        execute format('create table %I (like event_log including all)', name);
        execute format('alter table event_log attach partition %I for values from (%L) to (%L)',
            name, day, day + 1);
        made := made + 1;
    end loop;
    return made;
end
$$;

-- Whether every subscriber is past all that was numbered on a day.
create function trl_event_day_is_read(which date) returns boolean
language sql stable as $$
    select not exists (
        select from (select lane, max(seq) as last_seq from event_log where day = which
                group by lane) told,
            (select distinct service, subscription from event_progress) who
        where told.last_seq > coalesce((select p.seq from event_progress p
            where p.service = who.service and p.subscription = who.subscription
                and p.lane = told.lane), 0))
$$;

-- Drops the days before one that everybody is past, the oldest first; gives how many.
create function trl_event_days_drop(before date) returns bigint
language plpgsql as $$
declare
    dropped bigint := 0;
    gone date;
    name text;
begin
    loop
        select min(day) into gone from event_log where day < before;
        exit when gone is null or not trl_event_day_is_read(gone);
        update event_head h set first_seq = greatest(h.first_seq, l.last_seq + 1)
        from (select lane, max(seq) as last_seq from event_log where day = gone
            group by lane) l
        where h.lane = l.lane;
        name := 'event_log_' || to_char(gone, 'YYYYMMDD');
        if to_regclass(name) is null then
            delete from event_log_default where day = gone;
        else
            execute format('drop table %I', name);
        end if;
        dropped := dropped + 1;
    end loop;
    /* Days on which nothing happened. */
    for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'event_log'::regclass
            and c.relname < 'event_log_' || to_char(before, 'YYYYMMDD') order by 1 loop
        exit when gone is not null;
        execute format('drop table %I', name);
    end loop;
    return dropped;
end
$$;
