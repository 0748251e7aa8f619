/* `trellis-notify maintain`: drops what is kept for a time alone. */
#include <stdio.h>

#include <trl/migrate.h>

#include "webhook.h"

enum { INBOX_DAYS = 180, MAILS_DAYS = 30 };

enum trl_code
notify_maintain(const char *admin_url, const void *config)
{
	char days[16], inbox[16], mails[16];
	const struct trl_upkeep steps[] = {
		{ "old webhook deliveries", notify_sql_ended_webhook_deliveries, days },
		{ "old notifications", notify_sql_ended_notifications, inbox },
		{ "old records of mails", notify_sql_ended_deliveries, mails },
		{ "digests that never came", notify_sql_ended_digests, mails },
		{ "addresses held no more", notify_sql_ended_suppressions, NULL },
	};

	(void)config;
	snprintf(days, sizeof days, "%d", NOTIFY_WEBHOOK_KEPT_DAYS);
	snprintf(inbox, sizeof inbox, "%d", INBOX_DAYS);
	snprintf(mails, sizeof mails, "%d", MAILS_DAYS);
	return trl_pg_upkeep(admin_url, &notify_sql, steps, TRL_COUNT(steps));
}
