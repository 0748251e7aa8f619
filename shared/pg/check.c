/* check.c - see check.h. Row security protects only where the role cannot pass it
 * and where every table has it; both are asked of PostgreSQL itself, at start and
 * after each migration, because a mistake here shows nowhere else. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include <trl/complain.h>

#include "framework_sql.h"
#include "pool.h"

static bool
is_true(const PGresult *res, int column)
{
	return PQgetvalue(res, 0, column)[0] == 't';
}

static bool
check_role(PGconn *pq, const struct trl_sql_set *set)
{
	static const char sql[] =
	    "select current_user, r.rolsuper, r.rolbypassrls,"
	    " exists (select from pg_class c where c.relowner = r.oid and c.relkind in "
	    "('r', 'p')),"
	    " exists (select from pg_roles o where o.rolname = $1 || '_owner'"
	    "  and pg_has_role(current_user, o.oid, 'member')),"
	    " current_setting('synchronous_commit') = 'off',"
	    " current_setting('server_version_num')::int < 150000"
	    " from pg_roles r where r.rolname = current_user";
	const char *values[] = { set->service };
	PGresult *res = PQexecParams(pq, sql, 1, NULL, values, NULL, NULL, 0);
	const char *who, *why = NULL;
	bool fine = false;

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1) {
		trl_complain(
		    "%s: cannot check the role: %s", set->service, PQerrorMessage(pq));
		PQclear(res);
		return false;
	}
	who = PQgetvalue(res, 0, 0);
	if (is_true(res, 1))
		why = "is a superuser";
	else if (is_true(res, 2))
		why = "has BYPASSRLS";
	else if (is_true(res, 3))
		why = "owns tables";
	else if (is_true(res, 4))
		why = "is a member of the owner's role";
	if (why)
		trl_complain(
		    "%s: the role %s %s, so row security would not hold; connect as "
		    "%s_app (`trellis-%s migrate` makes it).",
		    set->service, who, why, set->service, set->service);
	else if (is_true(res, 5))
		trl_complain("%s: synchronous_commit is off, so an acknowledged write "
			     "could be lost; set it to on for the role %s.",
		    set->service, who);
	else if (is_true(res, 6))
		trl_complain("%s: this PostgreSQL is older than 15; use 15 or later.",
		    set->service);
	else
		fine = true;
	PQclear(res);
	return fine;
}

static bool
same_checksum(const PGresult *res, int row, const struct trl_sql_migration *m)
{
	char hex[65];

	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->checksum[i]);
	return strcmp(PQgetvalue(res, row, 3), hex) == 0;
}

/* Asked first: an error would end the transaction that migrate is in. */
static bool
exists(PGconn *pq, const char *table)
{
	PGresult *res = PQexecParams(
	    pq, "select to_regclass($1) is not null", 1, NULL, &table, NULL, NULL, 0);
	bool found = PQresultStatus(res) == PGRES_TUPLES_OK && is_true(res, 0);

	PQclear(res);
	return found;
}

enum pg_schema_state
pg_check_migrations(PGconn *pq, const struct trl_sql_set *set, size_t applied[2])
{
	const struct trl_sql_set *series[2] = { &trl_framework, set };
	enum pg_schema_state state = PG_SCHEMA_SAME;
	char *table = NULL, *sql = NULL,
	     *name = PQescapeIdentifier(pq, set->service, strlen(set->service));
	PGresult *res;

	applied[0] = applied[1] = 0;
	trl_assert(asprintf(&table, "%s.schema_migration", name) > 0);
	trl_assert(asprintf(&sql,
		       "select series = 'framework', number, name, "
		       "encode(checksum, 'hex') from %s order by 1, 2",
		       table) > 0);
	res = exists(pq, table) ? PQexec(pq, sql) : NULL;
	PQfreemem(name);
	free(table);
	free(sql);
	if (PQresultStatus(res) != PGRES_TUPLES_OK) {
		PQclear(res);
		return PG_SCHEMA_ABSENT;
	}
	for (int row = 0; row < PQntuples(res); row++) {
		int which = PQgetvalue(res, row, 0)[0] == 't' ? 0 : 1;
		size_t number = strtoul(PQgetvalue(res, row, 1), NULL, 10);

		if (number == 0 || number > series[which]->n_migrations)
			continue; /* a later release was here: its schema serves us too
				   */
		if (!same_checksum(res, row, &series[which]->migrations[number - 1])) {
			trl_complain(
			    "%s: the migration %s was edited after it was applied; "
			    "restore "
			    "the file and add the change as the next one.",
			    set->service, PQgetvalue(res, row, 2));
			state = PG_SCHEMA_EDITED;
		}
		if (number == applied[which] + 1)
			applied[which] = number;
	}
	PQclear(res);
	if (state == PG_SCHEMA_SAME &&
	    (applied[0] < trl_framework.n_migrations || applied[1] < set->n_migrations))
		state = PG_SCHEMA_BEHIND;
	return state;
}

bool
pg_check_session(PGconn *pq, const struct trl_sql_set *set)
{
	size_t applied[2];

	if (!check_role(pq, set))
		return false;
	switch (pg_check_migrations(pq, set, applied)) {
	case PG_SCHEMA_SAME:
		return pg_check_resources(pq, set);
	case PG_SCHEMA_EDITED:
		return false;
	case PG_SCHEMA_ABSENT:
		trl_complain(
		    "%s: the schema is not there, or this role may not read it; run "
		    "`trellis-%s migrate`.",
		    set->service, set->service);
		return false;
	default:
		trl_complain("%s: migrations are missing; run `trellis-%s migrate`.",
		    set->service, set->service);
		return false;
	}
}

bool
pg_check_classes(PGconn *pq, const char *schema)
{
	const char *values[] = { schema };
	const Oid types[] = { 25 };
	PGresult *res =
	    PQexecParams(pq, trl_sql_classes, 1, types, values, NULL, NULL, 0);
	bool ok = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 0;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		trl_complain("%s: the check of the tables failed: %s", schema,
		    PQerrorMessage(pq));
	for (int i = 0; i < PQntuples(res); i++)
		trl_complain("%s: %s.", schema, PQgetvalue(res, i, 0));
	PQclear(res);
	return ok;
}
