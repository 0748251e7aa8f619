/* `trellis-auth maintain`: drops of all accounts what login and e-mails drop of one in
 * passing. */
#include <stdio.h>

#include <trl/migrate.h>

#include "auth.h"

enum trl_code
auth_maintain(const char *admin_url, const void *values)
{
	const struct auth_config *config = values;
	char idle[24];
	const struct trl_upkeep steps[] = {
		{ .what = "ended sessions",
		    .sql = auth_sql_ended_sessions,
		    .table = "session",
		    .value = idle },
		{ .what = "used or expired links of mails",
		    .sql = auth_sql_ended_letters,
		    .table = "letter" },
	};

	snprintf(idle, sizeof idle, "%lld", (long long)config->session_idle_minutes);
	return trl_pg_upkeep(admin_url, &auth_sql, steps, TRL_COUNT(steps));
}
