/* `trellis-tenants maintain`: forgets invitations that ended long ago, and gives a job
 * (tenant_end.c) to tenants past their grace that have none. */
#include <stdio.h>

#include <trl/migrate.h>

#include "tenants.h"

enum trl_code
tenants_maintain(const char *admin_url, const void *config)
{
	char days[12];
	const struct trl_upkeep steps[] = {
		{ .what = "invitations that ended long ago",
		    .sql = tenants_sql_old_invitations,
		    .table = "invitation",
		    .value = days },
		{ .what = "organisations past their grace",
		    .did = "are about to be erased",
		    .sql = tenants_sql_due_ends },
	};

	(void)config;
	snprintf(days, sizeof days, "%d", TENANTS_INVITATION_KEPT_DAYS);
	return trl_pg_upkeep(admin_url, &tenants_sql, steps, TRL_COUNT(steps));
}
