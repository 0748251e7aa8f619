/* test_db.c - see test_db.h. */
#include "test_db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static char *
run(const char *url, const char *sql)
{
	static char value[256];
	PGconn *pq = PQconnectdb(url);
	PGresult *res = PQexec(pq, sql);
	ExecStatusType status = PQresultStatus(res);

	value[0] = '\0';
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(pq));
		exit(1);
	}
	if (PQntuples(res) > 0 && PQnfields(res) > 0)
		snprintf(value, sizeof value, "%s", PQgetvalue(res, 0, 0));
	PQclear(res);
	PQfinish(pq);
	return value;
}

void
test_db_make(struct test_db *db, const char *name)
{
	char url[512], sql[128];

	snprintf(db->name, sizeof db->name, "trl_test_%s_%d", name, (int)getpid());
	rewrite(url, sizeof url, NULL, NULL);
	snprintf(sql, sizeof sql, "create database %s", db->name);
	run(url, sql);
	rewrite(db->admin, sizeof db->admin, db->name, NULL);
}

void
test_db_drop(struct test_db *db)
{
	char url[512], sql[128];

	rewrite(url, sizeof url, NULL, NULL);
	snprintf(sql, sizeof sql, "drop database if exists %s with (force)", db->name);
	run(url, sql);
}

const char *
test_db_as(const struct test_db *db, const char *user)
{
	static char url[512];

	rewrite(url, sizeof url, db->name, user);
	return url;
}

const char *
test_db_sql(const struct test_db *db, const char *fmt, ...)
{
	char *sql = NULL, *value;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&sql, fmt, args) < 0)
		exit(1);
	va_end(args);
	value = run(db->admin, sql);
	free(sql);
	return value;
}
