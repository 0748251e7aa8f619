/* maintain.c - upkeep under the owner's role, for `<service> maintain`: deletes what
 * nobody needs any more in pieces, each its own transaction, so that no lock is held
 * for long and a run that is broken off has done what it did. */
#include <trl/migrate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <trl/complain.h>

static bool
say_failed(const char *service, const char *what, PGconn *pq, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	trl_complain("%s: %s: %s", service, what, text ? text : PQerrorMessage(pq));
	return false;
}

static void
quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/* Connects and takes the owner's role. NULL: printed. */
static PGconn *
open_as_owner(const char *admin_url, const char *service)
{
	PGconn *pq = PQconnectdb(admin_url);
	char text[256];
	PGresult *res;

	if (PQstatus(pq) != CONNECTION_OK) {
		trl_complain(
		    "%s: PostgreSQL does not answer (TRELLIS_PG_ADMIN_URL): %s",
		    service, PQerrorMessage(pq));
		PQfinish(pq);
		return NULL;
	}
	PQsetNoticeProcessor(pq, quiet, NULL);
	/* A service's name is of small letters: its contract's package. */
	snprintf(text, sizeof text,
	    "set role %s_owner; set search_path = %s; set lock_timeout = '2s'", service,
	    service);
	res = PQexec(pq, text);
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		say_failed(service, "taking the owner's role", pq, res);
		PQclear(res);
		PQfinish(pq);
		return NULL;
	}
	PQclear(res);
	return pq;
}

/* Runs a step until a run of it finds nothing. */
static bool
run_step(PGconn *pq, const char *service, const struct trl_upkeep *step)
{
	const char *values[] = { step->value };
	size_t gone = 0, n;
	bool ok;

	do {
		PGresult *res = PQexecParams(
		    pq, step->sql, step->value ? 1 : 0, NULL, values, NULL, NULL, 0);

		ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1;
		n = ok ? strtoul(PQgetvalue(res, 0, 0), NULL, 10) : 0;
		if (!ok)
			say_failed(service, step->what, pq, res);
		PQclear(res);
		gone += n;
	} while (ok && n > 0);
	if (ok)
		printf("%s: %zu %s %s\n", service, gone, step->what,
		    step->did ? step->did : "are gone");
	fflush(stdout);
	return ok;
}

enum trl_code
trl_pg_upkeep(const char *admin_url, const struct trl_sql_set *set,
    const struct trl_upkeep *steps, size_t n_steps)
{
	PGconn *pq = open_as_owner(admin_url, set->service);
	bool ok = true;

	if (!pq)
		return TRL_UNAVAILABLE;
	for (size_t i = 0; ok && i < n_steps; i++)
		ok = run_step(pq, set->service, &steps[i]);
	PQfinish(pq);
	return ok ? TRL_OK : TRL_INTERNAL;
}

enum trl_code
trl_pg_maintain(const char *admin_url, const struct trl_sql_set *set)
{
	static const struct trl_upkeep steps[] = {
		{ .what = "expired idempotency records",
		    .sql =
			"with gone as (delete from idempotency where ctid = any "
			"(array(select ctid from idempotency where expires_at < "
			"now() limit 5000)) returning 1) select count(*) from gone" },
		{ .what = "jobs that ended long ago",
		    .sql =
			"with gone as (delete from job where id in (select id from job "
			"where state in ('dead', 'cancelled') and ended_at < now() - "
			"interval '14 days' limit 5000) returning 1) select count(*) "
			"from gone" },
		{ .what = "coming days of events",
		    .did = "have a partition now",
		    .sql = "select trl_event_days_make(7)" },
		{ .what = "days of events that everybody has read",
		    .sql =
			"select trl_event_days_drop((now() at time zone 'utc')::date "
			"- 7)" },
		/* An id of version 7 begins with its milliseconds. */
		{ .what = "applied events that no replay reaches",
		    .sql =
			"with gone as (delete from inbox where ctid = any (array("
			"select i.ctid from event_subscription s, lateral (select ctid "
			"from inbox where subscription = s.subscription and event_id < "
			"rpad(lpad(to_hex((extract(epoch from now() - interval '30 "
			"days') * 1000)::bigint), 12, '0'), 32, '0')::uuid limit 5000) "
			"i limit 5000)) returning 1) select count(*) from gone" },
	};

	return trl_pg_upkeep(admin_url, set, steps, TRL_COUNT(steps));
}
