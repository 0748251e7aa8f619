/* `trellis-tenants maintain`: forgets invitations that ended long ago, and deletes
 * tenants past their grace, in pieces: what belonged to them first, for from then on
 * nobody sees them anyway. The audit chain stays, and so does what auth has of them
 * (their API keys, which no longer work), until a tenant can be erased in all services.
 */
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
		{ .what = "invitations of ended organisations",
		    .sql = tenants_sql_ended_invitations },
		{ .what = "memberships of ended organisations",
		    .sql = tenants_sql_ended_memberships },
		{ .what = "ended organisations", .sql = tenants_sql_ended_tenants },
	};

	(void)config;
	snprintf(days, sizeof days, "%d", TENANTS_INVITATION_KEPT_DAYS);
	return trl_pg_upkeep(admin_url, &tenants_sql, steps, TRL_COUNT(steps));
}
