/* Attacks on tables, written by the catalogue and not by hand: what a new table
 * declares is tried the day it is added. See tables.h. (Over 400 lines: rows, attacks
 * and declarations share how they speak to PostgreSQL, and read best together.) */
#include "tables.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include <trl/compiler.h>

#define TENANT_A "0000000a-0000-7000-8000-000000000001"
#define TENANT_B "0000000b-0000-7000-8000-000000000001"
#define PERSON_A "0000000a-0000-7000-8000-000000000002"
#define PERSON_B "0000000b-0000-7000-8000-000000000002"
#define NIL "00000000-0000-0000-0000-000000000000"

/* Tables that hold somebody's rows, with the column that says whose. */
#define SUBJECTS                                                                       \
	"select c.relname, (select a.attname from pg_attribute a where a.attrelid = "  \
	"c.oid and a.attname in ('tenant_id', 'account_id') and not a.attisdropped "   \
	"order by a.attname desc limit 1) as key, "                                    \
	"coalesce(obj_description(c.oid), '') as class, "                              \
	"(select count(*) = 2 from pg_attribute a where a.attrelid = c.oid and "       \
	"a.attname in ('tenant_id', 'account_id') and not a.attisdropped) as both "    \
	"from pg_class c join pg_namespace n on n.oid = c.relnamespace "               \
	"where n.nspname = '%s' and c.relkind in ('r', 'p') and c.relrowsecurity "     \
	"and exists (select 1 from pg_attribute a where a.attrelid = c.oid and "       \
	"a.attname in ('tenant_id', 'account_id')) order by 1"

enum context { OWN, FOREIGN, NONE };
static const char *const context_names[] = { "its own", "another tenant's", "no" };
enum verb { SELECT, UPDATE, DELETE, INSERT, STEAL };
static const char *const verb_names[] = { "select", "update", "delete", "insert",
	"moving a row into" };

static char *text(const char *fmt, ...) TRL_PRINTF(1, 2);
static void found(struct leaks *leaks, const char *fmt, ...) TRL_PRINTF(2, 3);

static char *
text(const char *fmt, ...)
{
	va_list args;
	char *out = NULL;

	va_start(args, fmt);
	if (vasprintf(&out, fmt, args) < 0)
		abort();
	va_end(args);
	return out;
}

static PGconn *
connect_to(const char *url, const char *schema)
{
	PGconn *conn = PQconnectdb(url);
	char *path = text("set search_path = %s", schema);

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(
		    stderr, "isolation: cannot connect: %s\n", PQerrorMessage(conn));
		exit(1);
	}
	PQclear(PQexec(conn, path));
	free(path);
	return conn;
}

/* Runs sql that must work, and frees it. */
static PGresult *
must(PGconn *conn, char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK) {
		fprintf(stderr, "isolation: %s\n%s\n", PQerrorMessage(conn), sql);
		exit(1);
	}
	free(sql);
	return result;
}

static void
found(struct leaks *leaks, const char *fmt, ...)
{
	va_list args;

	if (leaks->n++ > 0)
		return;
	va_start(args, fmt);
	vsnprintf(leaks->first, sizeof leaks->first, fmt, args);
	va_end(args);
}

/* ---- rows ------------------------------------------------------------------- */

static void
drop_hindrances(PGconn *conn, const char *schema)
{
	PGresult *list = must(conn,
	    text("select conrelid::regclass, quote_ident(conname) from pg_constraint "
		 "where connamespace = '%s'::regnamespace and contype in ('c', 'f')",
		schema));

	for (int i = 0; i < PQntuples(list); i++)
		PQclear(
		    must(conn, text("alter table %s drop constraint %s cascade",
				   PQgetvalue(list, i, 0), PQgetvalue(list, i, 1))));
	PQclear(list);
}

/* Person A's rows lie in tenant A, and where a table knows persons also under no
 * tenant: what is about their account alone. */
enum owner { OF_A, OF_B, OF_A_ALONE };

/* A value that fits a column's type and differs between owners. */
static const char *
value_for(const char *column, const char *type, enum owner owner)
{
	static const char *const tenants[] = { "'" TENANT_A "'", "'" TENANT_B "'",
		"'" NIL "'" };
	static const char *const numbers[] = { "1", "2", "3" };

	if (strcmp(column, "tenant_id") == 0)
		return tenants[owner];
	if (strcmp(column, "account_id") == 0)
		return owner == OF_B ? "'" PERSON_B "'" : "'" PERSON_A "'";
	if (strcmp(type, "uuid") == 0)
		return "gen_random_uuid()";
	if (strncmp(type, "timestamp", 9) == 0)
		return "now()";
	if (strcmp(type, "date") == 0)
		return "current_date";
	if (strcmp(type, "bytea") == 0)
		return "decode(md5(random()::text) || md5(random()::text), 'hex')";
	if (strcmp(type, "boolean") == 0)
		return "false";
	if (strcmp(type, "text") == 0 || strncmp(type, "character", 9) == 0)
		return "md5(random()::text)";
	if (strstr(type, "[]"))
		return "'{}'";
	if (strcmp(type, "inet") == 0)
		return "'192.0.2.1'";
	if (strncmp(type, "json", 4) == 0)
		return "'{}'";
	return numbers[owner];
}

static void
put_row(PGconn *conn, const char *table, enum owner owner)
{
	PGresult *columns = must(conn,
	    text("select quote_ident(attname), format_type(atttypid, null), attname "
		 "from pg_attribute where attrelid = '%s'::regclass and attnum > 0 "
		 "and not attisdropped and attgenerated = ''",
		table));
	char *names = text("%s", ""), *values = text("%s", ""), *next;

	for (int i = 0; i < PQntuples(columns); i++) {
		next = text("%s%s%s", names, i ? ", " : "", PQgetvalue(columns, i, 0));
		free(names);
		names = next;
		next = text("%s%s%s", values, i ? ", " : "",
		    value_for(
			PQgetvalue(columns, i, 2), PQgetvalue(columns, i, 1), owner));
		free(values);
		values = next;
	}
	PQclear(must(
	    conn, text("insert into %s (%s) overriding system value values (%s) "
		       "on conflict do nothing", /* a table may know a person once */
		      table, names, values)));
	free(names);
	free(values);
	PQclear(columns);
}

void
tables_fill(const struct tables_db *db)
{
	PGconn *conn = connect_to(db->admin_url, db->schema);
	PGresult *list;

	drop_hindrances(conn, db->schema);
	list = must(conn, text(SUBJECTS, db->schema));
	for (int i = 0; i < PQntuples(list); i++) {
		put_row(conn, PQgetvalue(list, i, 0), OF_A);
		put_row(conn, PQgetvalue(list, i, 0), OF_B);
		if (PQgetvalue(list, i, 3)[0] == 't')
			put_row(conn, PQgetvalue(list, i, 0), OF_A_ALONE);
	}
	PQclear(list);
	list = must(conn, /* directories, where nobody is attacked */
	    text("select c.relname from pg_class c join pg_attribute a on a.attrelid = "
		 "c.oid and a.attname = 'tenant_id' and not a.attisdropped where "
		 "c.relnamespace = '%s'::regnamespace and c.relkind = 'r' and not "
		 "c.relrowsecurity and not c.relispartition",
		db->schema));
	for (int i = 0; i < PQntuples(list); i++) {
		put_row(conn, PQgetvalue(list, i, 0), OF_A);
		put_row(conn, PQgetvalue(list, i, 0), OF_B);
	}
	PQclear(list);
	PQfinish(conn);
}

size_t
tables_list(const struct tables_db *db, char names[][64], size_t max)
{
	PGconn *conn = connect_to(db->admin_url, db->schema);
	PGresult *list = must(
	    conn, text("select relname from (" SUBJECTS ") t where exists (select from "
		       "pg_class c where c.relname = t.relname and c.relnamespace = "
		       "'%s'::regnamespace and has_table_privilege('%s_app', c.oid, "
		       "'select, insert, update, delete'))",
		      db->schema, db->schema, db->schema));
	size_t n = 0;

	for (int i = 0; i < PQntuples(list) && n < max; i++)
		snprintf(names[n++], 64, "%s", PQgetvalue(list, i, 0));
	PQclear(list);
	PQfinish(conn);
	return n;
}

/* ---- attacks ------------------------------------------------------------------ */

struct attack {
	PGconn *app;
	const char *table, *key, *class;
	const char *row; /* A's row as JSON, read by the superuser */
};

static const char *
whose(const struct attack *attack)
{
	return strcmp(attack->key, "tenant_id") == 0 ? TENANT_A : PERSON_A;
}

static char *
statement(const struct attack *attack, enum verb verb)
{
	bool tenant = strcmp(attack->key, "tenant_id") == 0;

	switch (verb) {
	case SELECT:
		return text("select 1 from %s where %s = '%s'", attack->table,
		    attack->key, whose(attack));
	case UPDATE:
		return text("update %s set %s = %s where %s = '%s'", attack->table,
		    attack->key, attack->key, attack->key, whose(attack));
	case DELETE:
		return text("delete from %s where %s = '%s'", attack->table,
		    attack->key, whose(attack));
	case INSERT:
		return text("insert into %s overriding system value select r.* from "
			    "jsonb_populate_record(null::%s, '%s') r",
		    attack->table, attack->table, attack->row);
	default:
		return text("update %s set %s = '%s' where %s = '%s'", attack->table,
		    attack->key, whose(attack), attack->key,
		    tenant ? TENANT_B : PERSON_B);
	}
}

static void
enter(PGconn *app, enum context context)
{
	const char *tenant = context == OWN ? TENANT_A : TENANT_B;
	const char *account = context == OWN ? PERSON_A : PERSON_B;

	PQclear(must(app, text("begin")));
	if (context == NONE) /* as a connection is after a transaction that had one */
		tenant = account = "";
	PQclear(must(app, text("select set_config('trellis.tenant_id', '%s', true), "
			       "set_config('trellis.account_id', '%s', true)",
			      tenant, account)));
}

/* Rows that a statement read or touched; -1: refused by right or policy; 1 also for
 * an insert that only its key stopped, for then row security let it through. */
static long
rows_of(PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return PQntuples(result);
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
		return atol(PQcmdTuples(result));
	if (state && strncmp(state, "23", 2) == 0)
		return 1;
	return -1;
}

static void
try_one(const struct attack *attack, enum verb verb, enum context context,
    struct leaks *leaks)
{
	char *sql = statement(attack, verb);
	PGresult *result;
	long rows;
	/* Own rows are asked of the classes whose rows are the caller's to read. */
	bool readable =
	    strstr(attack->class, "tenant") || strstr(attack->class, "person");

	if (context == OWN && (verb != SELECT || !readable)) {
		free(sql);
		return;
	}
	enter(attack->app, context);
	result = PQexec(attack->app, sql);
	rows = rows_of(result);
	if (context == OWN ? rows != 1 : rows > 0)
		found(leaks, "%s %s under %s context gives %ld rows: %s",
		    verb_names[verb], attack->table, context_names[context], rows, sql);
	leaks->tried++;
	PQclear(result);
	PQclear(must(attack->app, text("rollback")));
	free(sql);
}

static void
attack_table(const struct attack *attack, struct leaks *leaks)
{
	for (int verb = SELECT; verb <= STEAL; verb++)
		for (int context = OWN; context <= NONE; context++)
			try_one(attack, (enum verb)verb, (enum context)context, leaks);
}

/* What is a person's, in whatever tenant or in none, is nobody else's. (New rows of no
 * tenant may be left by anybody: an outbox is such a table.) */
static void
attack_person(const struct attack *attack, struct leaks *leaks)
{
	for (int verb = SELECT; verb <= DELETE; verb++)
		for (int context = FOREIGN; context <= NONE; context++)
			try_one(attack, (enum verb)verb, (enum context)context, leaks);
}

/* Before anything set a context: a new connection sees nothing either. */
static void
attack_fresh(const struct tables_db *db, struct attack *attack, struct leaks *leaks)
{
	PGconn *app = connect_to(db->app_url, db->schema);
	char *sql = statement(attack, SELECT);
	PGresult *result = PQexec(app, sql);

	if (rows_of(result) > 0)
		found(leaks, "a fresh connection reads %s", attack->table);
	leaks->tried++;
	PQclear(result);
	free(sql);
	PQfinish(app);
}

void
tables_attack(const struct tables_db *db, const char *table, struct leaks *leaks)
{
	PGconn *admin = connect_to(db->admin_url, db->schema);
	PGconn *app = connect_to(db->app_url, db->schema);
	PGresult *list = must(admin, text(SUBJECTS, db->schema));

	for (int i = 0; i < PQntuples(list); i++) {
		struct attack attack = { app, PQgetvalue(list, i, 0),
			PQgetvalue(list, i, 1), PQgetvalue(list, i, 2), NULL };
		PGresult *row;

		if (table && strcmp(table, attack.table) != 0)
			continue;
		row = must(admin, text("select to_jsonb(t) from %s t where %s = '%s'",
				      attack.table, attack.key, whose(&attack)));
		attack.row = PQgetvalue(row, 0, 0);
		attack_table(&attack, leaks);
		attack_fresh(db, &attack, leaks);
		if (PQgetvalue(list, i, 3)[0] == 't') {
			attack.key = "account_id";
			attack_person(&attack, leaks);
			attack_fresh(db, &attack, leaks);
		}
		PQclear(row);
	}
	PQclear(list);
	PQfinish(app);
	PQfinish(admin);
}

/* ---- declarations --------------------------------------------------------------- */

static void
expect_none(PGconn *conn, const char *what, char *sql, struct leaks *leaks)
{
	PGresult *list = must(conn, sql);

	for (int i = 0; i < PQntuples(list); i++)
		found(leaks, "%s %s", PQgetvalue(list, i, 0), what);
	leaks->tried++;
	PQclear(list);
}

void
tables_inspect(const struct tables_db *db, struct leaks *leaks)
{
	PGconn *conn = connect_to(db->admin_url, db->schema);
	char *all = text("select c.relname from pg_class c where c.relnamespace = "
			 "'%s'::regnamespace and c.relkind in ('r', 'p') and not "
			 "c.relispartition",
	    db->schema);

	expect_none(conn, "declares no class",
	    text("%s and coalesce(obj_description(c.oid), '') !~ "
		 "'^class: (tenant|person|tenant person|system|directory)'",
		all),
	    leaks);
	expect_none(conn, "has no forced row security",
	    text("%s and obj_description(c.oid) !~ '^class: directory' and "
		 "relname <> 'schema_migration' and not "
		 "(c.relrowsecurity and c.relforcerowsecurity)",
		all),
	    leaks);
	expect_none(conn, "has row security and no policy",
	    text("%s and c.relrowsecurity and not exists (select 1 from pg_policy p "
		 "where p.polrelid = c.oid)",
		all),
	    leaks);
	expect_none(conn, "has a unique index without tenant_id",
	    text(
		"%s and obj_description(c.oid) ~ '^class: tenant' and exists (select 1 "
		"from pg_index x where x.indrelid = c.oid and x.indisunique and "
		"(select attname from pg_attribute a where a.attrelid = c.oid and "
		"a.attnum = x.indkey[0]) <> 'tenant_id')",
		all),
	    leaks);
	expect_none(conn, "may pass row security",
	    text("select rolname from pg_roles where rolname = '%s_app' and "
		 "(rolsuper or rolbypassrls) union all select '%s_app' from pg_class c "
		 "join pg_roles r on r.oid = c.relowner where r.rolname = '%s_app'",
		db->schema, db->schema, db->schema),
	    leaks);
	expect_none(conn, "is a function that passes row security",
	    text("select proname from pg_proc where pronamespace = '%s'::regnamespace "
		 "and prosecdef",
		db->schema),
	    leaks);
	expect_none(conn, "may make temporary tables",
	    text("select rolname from pg_roles where rolname ~ '^%s_(app|sys)$' and "
		 "has_database_privilege(oid, current_database(), 'temporary')",
		db->schema),
	    leaks);
	free(all);
	PQfinish(conn);
}

void
tables_open_wide(const struct tables_db *db, const char *table)
{
	PGconn *conn = connect_to(db->admin_url, db->schema);

	PQclear(must(conn,
	    text("create policy trl_test_wide on %s using (true) with check (true)",
		table)));
	PQfinish(conn);
}

void
tables_close_again(const struct tables_db *db, const char *table)
{
	PGconn *conn = connect_to(db->admin_url, db->schema);

	PQclear(must(conn, text("drop policy trl_test_wide on %s", table)));
	PQfinish(conn);
}
