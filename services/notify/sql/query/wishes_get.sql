-- What a person wants of one kind, and when a mail that may wait should go: at the end
-- of quiet hours, and with the next digest.
select coalesce(p.digest, 'immediate') as digest, e.enabled as email, i.enabled as inbox,
    case
    when p.quiet_from_minute is null then null
    when p.quiet_from_minute <= p.quiet_until_minute
        and (t.minute < p.quiet_from_minute or t.minute >= p.quiet_until_minute) then null
    when p.quiet_from_minute > p.quiet_until_minute
        and t.minute < p.quiet_from_minute and t.minute >= p.quiet_until_minute then null
    else (date_trunc('day', t.local) + make_interval(mins => p.quiet_until_minute)
        + case when t.minute >= p.quiet_until_minute then interval '1 day'
            else interval '0' end) at time zone t.zone
    end as quiet_until,
    case p.digest
    when 'daily' then (date_trunc('day', t.local - interval '8 hours') + interval '32 hours')
        at time zone t.zone
    else (date_trunc('hour', t.local) + interval '1 hour') at time zone t.zone
    end as digest_at
from (select :account_id::uuid as account_id) one
left join preference p on p.account_id = one.account_id
left join preference_choice e on e.account_id = one.account_id and e.kind = :kind
    and e.channel = 'email'
left join preference_choice i on i.account_id = one.account_id and i.kind = :kind
    and i.channel = 'inbox'
cross join lateral (
    select z.zone, z.local, extract(hour from z.local)::integer * 60
        + extract(minute from z.local)::integer as minute
    from (
        select o.zone as zone,
            :now::timestamptz at time zone o.zone as local
        from (select zone_or_utc(p.time_zone) as zone) o) z) t
