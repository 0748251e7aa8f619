-- The newest of each that is not gone, in the order that C compares in.
select kind, locale, version, true as custom
from (
    select distinct on (kind, locale) kind, locale, version, gone
    from template
    where tenant_id = :tenant_id
    order by kind, locale, version desc) newest
where not gone
order by kind collate "C", locale collate "C"
limit :limit
