-- A person's time zone, or UTC where PostgreSQL does not know it (any more): zones are
-- renamed and dropped, and nobody is to hear nothing for that.
create function zone_or_utc(zone text) returns text
    language plpgsql stable
as $$
begin
    perform now() at time zone zone;
    return coalesce(zone, 'UTC');
exception
    when invalid_parameter_value then
        return 'UTC';
end
$$;
