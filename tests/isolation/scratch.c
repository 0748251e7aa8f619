/* The scratch database; one set of statements a service. */
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <trl/buf.h>
#include <trl/config.h>
#include <trl/migrate.h>

#include "auth_sql.h"
#include "notify_sql.h"
#include "tenants_sql.h"

static const struct trl_sql_set *const sets[] = {
	&tenants_sql,
	&auth_sql,
	&notify_sql,
};

static char *
url_for(const char *database, const char *user)
{
	PQconninfoOption *options =
	    PQconninfoParse(getenv("TRELLIS_TEST_PG_ADMIN_URL"), NULL);
	struct trl_buf text = { 0 };

	for (PQconninfoOption *o = options; o && o->keyword; o++) {
		const char *value =
		    strcmp(o->keyword, "dbname") == 0 ? database : o->val;

		if (user && strcmp(o->keyword, "user") == 0)
			value = user;
		if (value && *value)
			trl_buf_printf(&text, "%s='%s' ", o->keyword, value);
	}
	PQconninfoFree(options);
	trl_buf_add(&text, "", 1);
	return (char *)text.data;
}

static int
admin_run(const char *verb, const char *name, const char *rest)
{
	PGconn *conn = PQconnectdb(getenv("TRELLIS_TEST_PG_ADMIN_URL"));
	char sql[160];
	PGresult *result;
	int rc;

	snprintf(sql, sizeof sql, "%s database %s %s", verb, name, rest);
	result = PQexec(conn, sql);
	rc = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : -1;
	if (rc != 0)
		fprintf(stderr, "isolation: %s: %s\n", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	return rc;
}

int
scratch_open(struct scratch *scratch, const char *purpose)
{
	memset(scratch, 0, sizeof *scratch);
	if (!getenv("TRELLIS_TEST_PG_ADMIN_URL")) {
		fprintf(stderr,
		    "TRELLIS_TEST_PG_ADMIN_URL is not set: run the tests by "
		    "tools/test, or point it to a PostgreSQL 15 superuser URL.\n");
		return -1;
	}
	snprintf(scratch->name, sizeof scratch->name, "trl_test_%s_%d", purpose,
	    (int)getpid());
	if (admin_run("create", scratch->name, "") != 0)
		return -1;
	for (size_t i = 0; i < TRL_COUNT(sets); i++) {
		struct tables_db *db = &scratch->schemas[scratch->n_schemas++];
		char role[64];

		snprintf(role, sizeof role, "%s_app", sets[i]->service);
		db->schema = sets[i]->service;
		db->admin_url = url_for(scratch->name, NULL);
		db->app_url = url_for(scratch->name, role);
		if (trl_migrate(db->admin_url, sets[i], NULL, NULL) != TRL_OK)
			return -1;
	}
	return 0;
}

void
scratch_close(struct scratch *scratch)
{
	for (size_t i = 0; i < scratch->n_schemas; i++) {
		free((char *)scratch->schemas[i].admin_url);
		free((char *)scratch->schemas[i].app_url);
	}
	(void)admin_run("drop", scratch->name, "with (force)");
}
