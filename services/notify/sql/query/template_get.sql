-- The newest version of one, gone or not.
select kind, locale, version, gone, subject, summary, action, text, html, updated_at
from template
where tenant_id = :tenant_id and kind = :kind and locale = :locale
order by version desc
limit 1
