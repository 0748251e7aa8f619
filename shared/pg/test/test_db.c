/* test_db.c - see test_db.h. */
#include "test_db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <trl/migrate.h>

static const char *
server(void)
{
	const char *url = getenv("TRELLIS_TEST_PG_ADMIN_URL");

	if (!url || !url[0]) {
		fprintf(stderr,
		    "TRELLIS_TEST_PG_ADMIN_URL is not set: this test needs a "
		    "PostgreSQL (tools/test makes one).\n");
		exit(1);
	}
	return url;
}

/* url with dbname and user replaced. */
static void
rewrite(char *out, size_t size, const char *dbname, const char *user)
{
	PQconninfoOption *all = PQconninfoParse(server(), NULL);
	size_t len = 0;

	if (!all)
		exit(1);
	out[0] = '\0';
	for (PQconninfoOption *o = all; o->keyword; o++) {
		const char *value = o->val;

		if (strcmp(o->keyword, "dbname") == 0 && dbname)
			value = dbname;
		if (strcmp(o->keyword, "user") == 0 && user)
			value = user;
		if (value && value[0])
			len += (size_t)snprintf(
			    out + len, size - len, "%s='%s' ", o->keyword, value);
	}
	PQconninfoFree(all);
}

/* The connection that the statements of one database share, as a new one costs the
 * server more than most of them; a process that was forked off makes its own. */
static struct {
	PGconn *pq;
	char url[512];
	pid_t owner;
} held;

static void
let_go(void)
{
	if (held.owner == getpid())
		PQfinish(held.pq);
	held.pq = NULL;
}

static PGconn *
connection(const char *url)
{
	if (held.pq && held.owner == getpid() && strcmp(held.url, url) == 0 &&
	    PQstatus(held.pq) == CONNECTION_OK)
		return held.pq;
	let_go();
	held.pq = PQconnectdb(url);
	held.owner = getpid();
	snprintf(held.url, sizeof held.url, "%s", url);
	return held.pq;
}

/* So that the next statement finds it as if it were new. */
static void
leave_nothing(PGconn *pq)
{
	if (PQtransactionStatus(pq) != PQTRANS_IDLE)
		PQclear(PQexec(pq, "rollback"));
	PQclear(PQexec(pq, "discard all"));
}

static PGresult *
execute(const char *url, const char *schema, const char *sql)
{
	PGconn *pq = connection(url);

	if (schema) {
		char set[128];

		snprintf(set, sizeof set, "set search_path = %s", schema);
		PQclear(PQexec(pq, set));
	}
	return PQexec(pq, sql);
}

/* The first field of the first row, or ""; the caller frees it. */
static char *
run(const char *url, const char *schema, const char *sql)
{
	PGresult *res = execute(url, schema, sql);
	ExecStatusType status;
	char *value;

	if (PQstatus(held.pq) != CONNECTION_OK) { /* it was ended since the last one */
		PQclear(res);
		res = execute(url, schema, sql);
	}
	status = PQresultStatus(res);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(held.pq));
		exit(1);
	}
	value = strdup(
	    PQntuples(res) > 0 && PQnfields(res) > 0 ? PQgetvalue(res, 0, 0) : "");
	if (!value)
		exit(1);
	PQclear(res);
	leave_nothing(held.pq);
	return value;
}

static void
on_server(const char *verb, const char *name, const char *rest)
{
	char url[512], sql[128];

	rewrite(url, sizeof url, NULL, NULL);
	snprintf(sql, sizeof sql, "%s database %s%s", verb, name, rest);
	free(run(url, NULL, sql));
	let_go();
}

void
test_db_make(struct test_db *db, const char *name)
{
	db->schema = NULL;
	snprintf(db->name, sizeof db->name, "trl_test_%s_%d", name, (int)getpid());
	on_server("create", db->name, "");
	rewrite(db->admin, sizeof db->admin, db->name, NULL);
}

void
test_db_make_for(struct test_db *db, const struct trl_sql_set *sql)
{
	test_db_make(db, sql->service);
	db->schema = sql->service;
	if (trl_migrate(db->admin, sql, NULL, NULL) != TRL_OK)
		exit(1);
}

void
test_db_drop(struct test_db *db)
{
	on_server("drop", db->name, " with (force)");
}

const char *
test_db_as(const struct test_db *db, const char *user)
{
	static char url[512];

	rewrite(url, sizeof url, db->name, user);
	return url;
}

trl_pg *
test_db_open(const struct test_db *db, trl_loop *loop, const struct trl_sql_set *sql,
    const char *role, const uint8_t seal_key[32])
{
	char user[96];
	trl_pg *pg;

	snprintf(user, sizeof user, "%s_%s", sql->service, role);
	if (trl_pg_open(loop,
		&(struct trl_pg_options){
		    .url = test_db_as(db, user), .sql = sql, .seal_key = seal_key },
		&pg) != TRL_OK)
		exit(1);
	return pg;
}

/* As run, of a text that is made here. */
__attribute__((format(printf, 2, 0))) static char *
run_text(const struct test_db *db, const char *fmt, va_list args)
{
	char *sql = NULL, *value;

	if (vasprintf(&sql, fmt, args) < 0)
		exit(1);
	value = run(db->admin, db->schema, sql);
	free(sql);
	return value;
}

const char *
test_db_sql(const struct test_db *db, const char *fmt, ...)
{
	static char kept[256];
	char *value;
	va_list args;

	va_start(args, fmt);
	value = run_text(db, fmt, args);
	va_end(args);
	snprintf(kept, sizeof kept, "%s", value);
	free(value);
	return kept;
}

const char *
test_db_vsql(const struct test_db *db, trl_arena *arena, const char *fmt, va_list args)
{
	char *value = run_text(db, fmt, args);
	const char *kept = trl_arena_strdup(arena, value);

	free(value);
	return kept;
}

/* The first of a plan in JSON is of all of it. */
static size_t
number_after(const char *plan, const char *name)
{
	const char *at = strstr(plan, name);

	if (!at) {
		fprintf(stderr, "no %s in the plan: %s\n", name, plan);
		exit(1);
	}
	return strtoul(at + strlen(name), NULL, 10);
}

/* As run_text, of these arguments. */
__attribute__((format(printf, 2, 3))) static char *
run_textf(const struct test_db *db, const char *fmt, ...)
{
	char *value;
	va_list args;

	va_start(args, fmt);
	value = run_text(db, fmt, args);
	va_end(args);
	return value;
}

size_t
test_db_blocks(const struct test_db *db, const struct trl_sql *statement,
    const char *role, bool generic, const char *settings, const char *args)
{
	char *plan = run_textf(db,
	    "begin; set local role %s_%s; set local plan_cache_mode = force_%s_plan; "
	    "%s "
	    "prepare looked_at as %s; explain (analyze, buffers, format json) execute "
	    "looked_at (%s)",
	    db->schema, role, generic ? "generic" : "custom", settings, statement->text,
	    args);
	size_t n = number_after(plan, "\"Shared Hit Blocks\": ") +
		   number_after(plan, "\"Shared Read Blocks\": ");

	free(plan);
	return n;
}
