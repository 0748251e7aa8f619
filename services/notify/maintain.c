/* `trellis-notify maintain`: drops what is kept only for a time. */
#include <stdio.h>

#include <trl/migrate.h>

#include "analytics/analytics.h"
#include "webhooks/webhooks.h"

enum { INBOX_DAYS = 180, MAILS_DAYS = 30 };

enum trl_code
notify_maintain(const char *admin_url, const void *config)
{
	char days[16], inbox[16], mails[16], product[16];
	const struct trl_upkeep steps[] = {
		{ .what = "old webhook deliveries",
		    .sql = notify_sql_ended_webhook_deliveries,
		    .value = days },
		{ .what = "old notifications",
		    .sql = notify_sql_ended_notifications,
		    .table = "notification",
		    .value = inbox },
		{ .what = "old records of mails",
		    .sql = notify_sql_ended_deliveries,
		    .value = mails },
		{ .what = "digests that never came",
		    .sql = notify_sql_ended_digests,
		    .value = mails },
		{ .what = "product events that nobody took",
		    .sql = notify_sql_ended_product_events,
		    .value = product },
		{ .what = "addresses held no more",
		    .sql = notify_sql_ended_suppressions,
		    .table = "suppression" },
	};

	(void)config;
	snprintf(days, sizeof days, "%d", NOTIFY_WEBHOOK_KEPT_DAYS);
	snprintf(inbox, sizeof inbox, "%d", INBOX_DAYS);
	snprintf(product, sizeof product, "%d", NOTIFY_ANALYTICS_KEPT_DAYS);
	snprintf(mails, sizeof mails, "%d", MAILS_DAYS);
	return trl_pg_upkeep(admin_url, &notify_sql, steps, TRL_COUNT(steps));
}
