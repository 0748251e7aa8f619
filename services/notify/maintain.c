/* `trellis-notify maintain`: drops what is kept for a time alone. */
#include <stdio.h>

#include <trl/migrate.h>

#include "webhook.h"

enum trl_code
notify_maintain(const char *admin_url, const void *config)
{
	char days[16];
	const struct trl_upkeep steps[] = {
		{ "old webhook deliveries", notify_sql_ended_webhook_deliveries, days },
	};

	(void)config;
	snprintf(days, sizeof days, "%d", NOTIFY_WEBHOOK_KEPT_DAYS);
	return trl_pg_upkeep(admin_url, &notify_sql, steps, TRL_COUNT(steps));
}
