/* maintain.c - upkeep under the owner's role, for `<service> maintain`: deletes what
 * nobody needs any more in pieces, each its own transaction, so that no lock is held
 * for long and a run that is broken off has done what it did.
 *
 * What has no index by its age needs none: its table is walked once, block by block, as
 * it lay there when the walk began. No piece looks at what another has looked at, where
 * "the next 5000" would read from the table's beginning each time, and over all that
 * the pieces before have left empty. */
#include <trl/migrate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <trl/complain.h>

#include "framework_sql.h"

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

/* NULL: printed. */
static PGconn *
connect_to(const char *admin_url, const char *service)
{
	PGconn *pq = PQconnectdb(admin_url);

	if (PQstatus(pq) != CONNECTION_OK) {
		trl_complain(
		    "%s: PostgreSQL does not answer (TRELLIS_PG_ADMIN_URL): %s",
		    service, PQerrorMessage(pq));
		PQfinish(pq);
		return NULL;
	}
	PQsetNoticeProcessor(pq, quiet, NULL);
	return pq;
}

/* Begins a transaction under the owner's role; the settings are its own, for a pooler
 * may stand before PostgreSQL. A service's name is in lower case: its contract's
 * package. What is read in the order of an index is read by it: its beginning is all
 * that a piece wants. */
static bool
begin_as_owner(PGconn *pq, const char *service)
{
	char text[256];
	PGresult *res;
	bool ok;

	snprintf(text, sizeof text,
	    "begin; set local role %s_owner; set local search_path = %s;"
	    "set local lock_timeout = '2s'; set local enable_bitmapscan = off",
	    service, service);
	res = PQexec(pq, text);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!ok)
		say_failed(service, "taking the owner's role", pq, res);
	PQclear(res);
	return ok;
}

static bool
commit(PGconn *pq, const char *service, const char *what)
{
	PGresult *res = PQexec(pq, "commit");
	bool ok = PQresultStatus(res) == PGRES_COMMAND_OK;

	if (!ok)
		say_failed(service, what, pq, res);
	PQclear(res);
	return ok;
}

enum { PIECE_BLOCKS = 256 }; /* 2 MiB: a few thousand rows, some milliseconds */

/* Where the pieces of a step are: of a walk from block to block, else wherever the
 * statement finds something, or from where it said that the last one ended. */
struct pieces {
	PGconn *pq;
	const char *service;
	const struct trl_upkeep *step;
	size_t block, blocks;
	char after[128];
	size_t gone; /* in all */
};

/* One number and, where there is one, a text. False: printed. */
static bool
ask(struct pieces *pieces, const char *sql, const char *const *values, int n_values,
    size_t *n)
{
	PGresult *res;
	bool ok;

	if (!begin_as_owner(pieces->pq, pieces->service))
		return false;
	res = PQexecParams(pieces->pq, sql, n_values, NULL, values, NULL, NULL, 0);
	ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1;
	if (!ok)
		say_failed(pieces->service, pieces->step->what, pieces->pq, res);
	*n = ok ? strtoul(PQgetvalue(res, 0, 0), NULL, 10) : 0;
	if (ok && PQnfields(res) > 1)
		snprintf(
		    pieces->after, sizeof pieces->after, "%s", PQgetvalue(res, 0, 1));
	PQclear(res);
	return ok && commit(pieces->pq, pieces->service, pieces->step->what);
}

static bool
count_blocks(struct pieces *pieces)
{
	static const char sql[] = "select pg_relation_size($1::regclass) / "
				  "current_setting('block_size')::bigint";

	return ask(pieces, sql, &pieces->step->table, 1, &pieces->blocks);
}

/* One transaction; *n rows are gone. */
static bool
run_piece(struct pieces *pieces, size_t *n)
{
	const struct trl_upkeep *step = pieces->step;
	char from[32], to[32];
	const char *values[3];
	int n_values = 0;

	if (step->table) {
		snprintf(from, sizeof from, "(%zu,0)", pieces->block);
		pieces->block += PIECE_BLOCKS;
		snprintf(to, sizeof to, "(%zu,0)", pieces->block);
		values[n_values++] = from;
		values[n_values++] = to;
	}
	if (step->goes_on)
		values[n_values++] = pieces->after;
	if (step->value)
		values[n_values++] = step->value;
	if (!ask(pieces, step->sql, values, n_values, n))
		return false;
	pieces->gone += *n;
	return true;
}

static bool
run_step(PGconn *pq, const char *service, const struct trl_upkeep *step)
{
	struct pieces pieces = { .pq = pq, .service = service, .step = step };
	size_t n = 1;
	bool ok = !step->table || count_blocks(&pieces);

	while (ok && (step->table ? pieces.block < pieces.blocks : n > 0))
		ok = run_piece(&pieces, &n);
	if (ok)
		printf("%s: %zu %s %s\n", service, pieces.gone, step->what,
		    step->did ? step->did : "are gone");
	fflush(stdout);
	return ok;
}

enum trl_code
trl_pg_upkeep(const char *admin_url, const struct trl_sql_set *set,
    const struct trl_upkeep *steps, size_t n_steps)
{
	PGconn *pq = connect_to(admin_url, set->service);
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
		    .sql = trl_sql_ended_records,
		    .table = "idempotency" },
		{ .what = "jobs that ended long ago",
		    .sql = trl_sql_ended_jobs,
		    .table = "job" },
		{ .what = "coming days of events",
		    .did = "have a partition now",
		    .sql = "select trl_event_days_make(7)" },
		{ .what = "days of events that everybody has read",
		    .sql =
			"select trl_event_days_drop((now() at time zone 'utc')::date "
			"- 7)" },
		{ .what = "applied events that no replay reaches",
		    .sql = trl_sql_ended_inbox,
		    .goes_on = true },
		{ .what = "rows of tenants that were erased a year ago",
		    .sql = "select trl_erase_later(now() - interval '1 year', 5000)" },
	};

	return trl_pg_upkeep(admin_url, set, steps, TRL_COUNT(steps));
}
