-- The newest of a kind in each of some languages.
select distinct on (locale) kind, locale, version, gone, subject, summary, action, text, html
from template
where tenant_id = :tenant_id and kind = :kind and locale = any (:locales::text[])
order by locale, version desc
