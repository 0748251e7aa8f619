-- The whole catalogue; small, and read at start and now and then.
select kind, event_type, when_field, when_value, audience, audience_field,
    audience_role, locale_field, seal, link, email, inbox, slack, mandatory, digest,
    own_words
from kind_directory
order by kind, event_type
limit :limit
