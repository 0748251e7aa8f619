-- No row: nothing was set.
select version, sender_name, reply_to, locale, slack_url is not null as slack,
    slack_url as slack_sealed, updated_at
from settings
where tenant_id = :tenant_id
