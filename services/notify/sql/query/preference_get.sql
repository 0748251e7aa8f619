-- No row: nothing was chosen.
select version, digest, time_zone, quiet_from_minute, quiet_until_minute, updated_at
from preference
where account_id = :account_id
