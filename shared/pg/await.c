/* await.c - whether a schema stands as this build needs it, asked under the service's
 * own roles: for whoever is started beside `migrate`, which runs elsewhere. It changes
 * nothing, and needs no administrator. */
#include <trl/migrate.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include <trl/complain.h>

#include "check.h"
#include "url.h"

enum { POLL_MS = 500 };

static PGconn *
connect_to(const char *url)
{
	/* What the URL itself says comes later, and wins. */
	const char *const keys[] = { "connect_timeout", "dbname", NULL };
	const char *const values[] = { "5", url, NULL };

	return PQconnectdbParams(keys, values, 1);
}

/* TRL_OK: it stands. TRL_UNAVAILABLE: not yet; why says what is missing. TRL_INTERNAL:
 * waiting does not help; printed. */
static enum trl_code
look(const struct trl_sql_set *set, const char *url, char why[PG_WHY])
{
	PGconn *pq = connect_to(url);
	enum trl_code rc = TRL_UNAVAILABLE;
	size_t applied[2];

	if (PQstatus(pq) != CONNECTION_OK) {
		snprintf(why, PG_WHY, "%s", PQerrorMessage(pq));
		why[strcspn(why, "\n")] = '\0';
		PQfinish(pq);
		return rc;
	}
	switch (pg_check_migrations(pq, set, applied)) {
	case PG_SCHEMA_SAME:
		rc = TRL_OK;
		break;
	case PG_SCHEMA_EDITED:
		rc = TRL_INTERNAL;
		break;
	case PG_SCHEMA_ABSENT:
		snprintf(why, PG_WHY, "the schema is not there");
		break;
	case PG_SCHEMA_BEHIND:
		snprintf(why, PG_WHY, "migrations are missing");
		break;
	}
	PQfinish(pq);
	return rc;
}

static void
pause_ms(long ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&wait, &wait) != 0)
		;
}

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

enum trl_code
trl_migrate_await(const struct trl_sql_set *set, const char *app_url,
    const char *sys_url, unsigned seconds)
{
	char why[PG_WHY] = "", told[PG_WHY] = "";
	time_t until = now_s() + (time_t)seconds;

	for (;;) {
		enum trl_code rc = look(set, app_url, why);
		if (rc == TRL_OK)
			rc = look(set, sys_url, why);
		if (rc == TRL_OK)
			printf("%s: up to date\n", set->service);
		if (rc != TRL_UNAVAILABLE)
			return rc;
		if (strcmp(why, told) != 0)
			trl_complain("%s: waiting for `trellis-%s migrate`: %s",
			    set->service, set->service, why);
		memcpy(told, why, sizeof told);
		if (now_s() >= until)
			break;
		pause_ms(POLL_MS);
	}
	trl_complain("%s: `trellis-%s migrate` has not made the schema that this build "
		     "needs: %s%s",
	    set->service, set->service, why, pg_url_advice(why));
	return TRL_UNAVAILABLE;
}
