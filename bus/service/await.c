/* await.c - `SERVICE migrate --wait`, for what is started beside `migrate`, such as the
 * pods of a new release: it waits until the schemas stand that this build needs. */
#include <signal.h>
#include <unistd.h>

#include <trl/complain.h>
#include <trl/migrate.h>

#include "config.h"

enum { AWAIT_S = 900 };

/* A process 1, as it is in a container, dies of no signal that it does not handle. */
static void
leave(int signum)
{
	_exit(128 + signum);
}

int
process_await_schemas(const struct trl_service *const *services, size_t n,
    const struct process_config *config)
{
	const char *app, *sys;

	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	for (size_t i = 0; i < n; i++) {
		const struct trl_service *s = services[i];
		if (s->sql == NULL)
			continue;
		if (!process_pg_url(config, s->name, "app", &app) ||
		    !process_pg_url(config, s->name, "sys", &sys))
			return 2;
		if (app == NULL || sys == NULL) {
			trl_complain(
			    "TRELLIS_PG_URL is not set; %s waits for its schema there",
			    s->name);
			return 2;
		}
		if (trl_migrate_await(s->sql, app, sys, AWAIT_S) != TRL_OK)
			return 1;
	}
	return 0;
}
