/* migrate.c - see migrate.h. Everything new of a run is one transaction: schema,
 * roles, files, policies, rights and the class check stand together or not at all,
 * so a refused migration leaves nothing behind. */
#include <trl/migrate.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <sodium.h>

#include <trl/buf.h>
#include <trl/complain.h>

#include "check.h"
#include "framework_sql.h"
#include "pool.h"
#include "url.h"

enum { LOCK_KEY = 0x74726c6d }; /* "trlm": one migration at a time in a database */

struct run {
	PGconn *pq;
	const struct trl_sql_set *set;
	char *schema, *owner; /* quoted */
};

static bool
say_failed(const struct run *run, const char *what, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);

	trl_complain("%s: %s: %s%s%s%s%s", run->set->service, what,
	    text ? text : PQerrorMessage(run->pq), detail ? "; " : "",
	    detail ? detail : "", hint ? "; " : "", hint ? hint : "");
	return false;
}

static bool
exec(const struct run *run, const char *what, const char *sql)
{
	PGresult *res = PQexec(run->pq, sql);
	ExecStatusType status = PQresultStatus(res);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (!ok)
		say_failed(run, what, res);
	PQclear(res);
	return ok;
}

static bool execf(const struct run *run, const char *what, const char *fmt, ...)
    TRL_PRINTF(3, 4);

static bool
execf(const struct run *run, const char *what, const char *fmt, ...)
{
	char *sql = NULL;
	va_list args;
	bool ok;

	va_start(args, fmt);
	trl_assert(vasprintf(&sql, fmt, args) > 0);
	va_end(args);
	ok = exec(run, what, sql);
	free(sql);
	return ok;
}

static bool
make_role(const struct run *run, const char *suffix, bool login)
{
	char name[128], *quoted;
	bool ok;

	snprintf(name, sizeof name, "%s_%s", run->set->service, suffix);
	quoted = PQescapeIdentifier(run->pq, name, strlen(name));
	/* Roles belong to the whole server: another database's run may be as far. */
	ok = execf(run, "making the roles",
	    "do $do$ begin if not exists (select from pg_roles where rolname = '%s') "
	    "then"
	    " create role %s %s nosuperuser nobypassrls nocreatedb nocreaterole; end "
	    "if;"
	    " exception when duplicate_object or unique_violation then null; end $do$",
	    name, quoted, login ? "login" : "nologin");
	PQfreemem(quoted);
	return ok;
}

/* The password travels, and is logged, as its verifier. */
static bool
set_password(const struct run *run, const char *suffix, const char *url)
{
	char name[128], password[PG_PASSWORD_MAX], *quoted, *verifier;
	bool ok;

	if (!pg_url_password(url, password))
		return true;
	snprintf(name, sizeof name, "%s_%s", run->set->service, suffix);
	quoted = PQescapeIdentifier(run->pq, name, strlen(name));
	verifier = PQencryptPasswordConn(run->pq, password, name, NULL);
	sodium_memzero(password, sizeof password);
	ok = verifier && execf(run, "setting a role's password",
			     "alter role %s password '%s'", quoted, verifier);
	PQfreemem(verifier);
	PQfreemem(quoted);
	return ok;
}

static bool
make_schema(const struct run *run)
{
	return make_role(run, "owner", false) && make_role(run, "app", true) &&
	       make_role(run, "sys", true) &&
	       /* Usage: since PostgreSQL 16 who makes a role is its member, and may not
		* act as it. */
	       execf(run, "joining the owner's role",
		   "do $do$ begin if not pg_has_role(current_user, '%s_owner', "
		   "'usage') then"
		   " grant %s to current_user; end if; end $do$",
		   run->set->service, run->owner) &&
	       execf(run, "making the schema",
		   "create schema if not exists %s authorization %s", run->schema,
		   run->owner) &&
	       execf(run, "making the schema",
		   "grant usage on schema %s to %s_app, %s_sys", run->schema,
		   run->set->service, run->set->service) &&
	       /* A temporary table would hide ours of that name. Nothing is revoked,
		* and the check says so, where the database is somebody else's. */
	       exec(run, "taking temporary tables from everybody",
		   "do $do$ begin execute format('revoke temporary on database %I "
		   "from public', current_database()); end $do$") &&
	       execf(run, "making the table of migrations",
		   "set local role %s; set local search_path = %s;"
		   "create table if not exists schema_migration (series text not null,"
		   " number integer not null, name text not null, checksum bytea not "
		   "null,"
		   " applied_at timestamptz not null default now(), primary key "
		   "(series, number));"
		   "comment on table schema_migration is 'class: system; app: select; "
		   "sys: select';"
		   "do $do$ begin if not exists (select from pg_policy where polrelid ="
		   " 'schema_migration'::regclass and polname = 'everybody') then"
		   " create policy everybody on schema_migration for select using "
		   "(true);"
		   " end if; end $do$; reset role",
		   run->owner, run->schema);
}

static size_t
line_of(const char *text, const char *position)
{
	size_t line = 1, left = position ? strtoul(position, NULL, 10) : 0;

	for (; *text && left > 1; text++, left--)
		line += *text == '\n';
	return line;
}

static bool
apply(const struct run *run, const struct trl_sql_set *series,
    const struct trl_sql_migration *m)
{
	const char *name = series == &trl_framework ? "framework" : series->service;
	char hex[65];
	PGresult *res;

	if (!execf(run, "taking the owner's role",
		"set local role %s; set local search_path = %s", run->owner,
		run->schema))
		return false;
	res = PQexec(run->pq, m->text);
	if (PQresultStatus(res) != PGRES_COMMAND_OK &&
	    PQresultStatus(res) != PGRES_TUPLES_OK &&
	    PQresultStatus(res) != PGRES_EMPTY_QUERY) {
		char where[128];

		snprintf(where, sizeof where, "%s.sql:%zu: PostgreSQL says", m->name,
		    line_of(
			m->text, PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION)));
		say_failed(run, where, res);
		PQclear(res);
		return false;
	}
	PQclear(res);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->checksum[i]);
	if (!execf(run, "noting the migration",
		"set local search_path = %s;"
		"insert into schema_migration (series, number, name, checksum)"
		" values ('%s', %u, '%s', '\\x%s'); reset role",
		run->schema, name, m->number, m->name, hex))
		return false;
	printf("%s: applied %s\n", run->set->service, m->name);
	return true;
}

static bool
apply_all(const struct run *run, const size_t applied[2])
{
	const struct trl_sql_set *series[2] = { &trl_framework, run->set };

	for (int which = 0; which < 2; which++)
		for (size_t i = applied[which]; i < series[which]->n_migrations; i++)
			if (!apply(run, series[which], &series[which]->migrations[i]))
				return false;
	return execf(run, "taking the schema", "set local search_path = %s",
		   run->schema) &&
	       exec(run, "making policies and rights", trl_sql_rights) &&
	       pg_check_classes(run->pq, run->set->service) &&
	       pg_check_resources(run->pq, run->set);
}

static enum trl_code
migrate(const struct run *run)
{
	size_t applied[2];
	bool ok;

	switch (pg_check_migrations(run->pq, run->set, applied)) {
	case PG_SCHEMA_SAME:
		printf("%s: up to date\n", run->set->service);
		return TRL_OK;
	case PG_SCHEMA_EDITED:
		return TRL_INTERNAL;
	default:
		break;
	}
	/* The lock is the transaction's, for a pooler may stand before PostgreSQL. */
	if (!execf(run, "waiting for other migrations",
		"begin; set local statement_timeout = 0; set local lock_timeout = 0;"
		"select pg_advisory_xact_lock(%d)",
		LOCK_KEY))
		return TRL_INTERNAL;
	/* Somebody else may have been faster. */
	if (pg_check_migrations(run->pq, run->set, applied) == PG_SCHEMA_SAME) {
		printf("%s: up to date\n", run->set->service);
		return TRL_OK;
	}
	ok = exec(run, "starting", "set local lock_timeout = '2s'") &&
	     make_schema(run) && apply_all(run, applied) &&
	     exec(run, "committing", "commit");
	if (!ok)
		trl_complain("%s: nothing was changed.", run->set->service);
	fflush(stdout);
	return ok ? TRL_OK : TRL_INTERNAL;
}

static void
quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static bool
open_run(struct run *run, const char *admin_url, const struct trl_sql_set *set)
{
	char owner[128];

	*run = (struct run){ .pq = PQconnectdb(admin_url), .set = set };
	if (PQstatus(run->pq) != CONNECTION_OK) {
		trl_complain(
		    "%s: PostgreSQL does not answer (TRELLIS_PG_ADMIN_URL): %s",
		    set->service, PQerrorMessage(run->pq));
		PQfinish(run->pq);
		return false;
	}
	PQsetNoticeProcessor(run->pq, quiet, NULL);
	snprintf(owner, sizeof owner, "%s_owner", set->service);
	run->schema = PQescapeIdentifier(run->pq, set->service, strlen(set->service));
	run->owner = PQescapeIdentifier(run->pq, owner, strlen(owner));
	return true;
}

static void
close_run(struct run *run)
{
	PQfreemem(run->schema);
	PQfreemem(run->owner);
	PQfinish(run->pq);
}

enum trl_code
trl_migrate(const char *admin_url, const struct trl_sql_set *set, const char *app_url,
    const char *sys_url)
{
	struct run run;
	enum trl_code rc;

	if (!open_run(&run, admin_url, set))
		return TRL_UNAVAILABLE;
	rc = migrate(&run);
	if (rc == TRL_OK &&
	    !(set_password(&run, "app", app_url) && set_password(&run, "sys", sys_url)))
		rc = TRL_INTERNAL;
	close_run(&run);
	return rc;
}
