select kind, channel, enabled
from preference_choice
where account_id = :account_id
order by kind, channel
