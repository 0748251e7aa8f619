-- Three lists of one length.
insert into preference_choice (account_id, kind, channel, enabled)
select :account_id, c.kind, c.channel, c.enabled = 'on'
from unnest(:kinds::text[], :channels::text[], :enabled::text[]) as c (kind, channel, enabled)
