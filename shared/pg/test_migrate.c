/* test_migrate.c - migrations, the class check (each breakage is caught) and the
 * start-up check of the role. */
#include "test_world.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "framework_sql.h"

static struct test_db db;

static int
make_db(void **state)
{
	(void)state;
	test_db_make(&db, "migrate");
	return trl_migrate(db.admin, &pgtest_sql, NULL, NULL) == TRL_OK ? 0 : -1;
}

static int
drop_db(void **state)
{
	(void)state;
	test_db_drop(&db);
	return 0;
}

static void
migrating_twice_is_harmless(void **state)
{
	(void)state;
	assert_int_equal(trl_migrate(db.admin, &pgtest_sql, NULL, NULL), TRL_OK);
	assert_int_equal(trl_framework.n_migrations + pgtest_sql.n_migrations,
	    atoi(test_db_sql(&db, "select count(*) from pgtest.schema_migration")));
}

static void
roles_get_the_passwords_of_their_urls(void **state)
{
	(void)state;
	assert_int_equal(
	    trl_migrate(db.admin, &pgtest_sql, "postgresql://pgtest_app:a%27%40b@h/d",
		"host=h user=pgtest_sys"),
	    TRL_OK);
	assert_string_equal("pgtest_app",
	    test_db_sql(&db,
		"select string_agg(rolname, ',') from pg_authid where "
		"rolname like 'pgtest%%' and rolpassword like 'SCRAM-%%'"));
	test_db_sql(&db, "alter role pgtest_app password null");
}

static void
an_edited_file_is_refused(void **state)
{
	struct trl_sql_migration edited = pgtest_sql.migrations[0];
	struct trl_sql_set set = pgtest_sql;

	(void)state;
	edited.checksum[0] ^= 1;
	set.migrations = &edited;
	assert_int_equal(trl_migrate(db.admin, &set, NULL, NULL), TRL_INTERNAL);
}

static struct trl_sql_set
with_second(struct trl_sql_migration both[2], const char *text)
{
	struct trl_sql_set set = pgtest_sql;

	both[0] = pgtest_sql.migrations[0];
	both[1] = (struct trl_sql_migration){
		.number = 2, .name = "0002_second", .text = text
	};
	set.migrations = both;
	set.n_migrations = 2;
	return set;
}

static void
a_failing_file_changes_nothing(void **state)
{
	struct trl_sql_migration both[2];
	struct trl_sql_set set = with_second(both,
	    "create table half (id int primary key);\ncomment on table half is 'class: "
	    "directory';\nselect nonsense;");

	(void)state;
	assert_int_equal(trl_migrate(db.admin, &set, NULL, NULL), TRL_INTERNAL);
	assert_string_equal(
	    "t", test_db_sql(&db, "select to_regclass('pgtest.half') is null"));
}

static void
a_table_without_a_class_is_refused_as_a_whole(void **state)
{
	struct trl_sql_migration both[2];
	struct trl_sql_set set =
	    with_second(both, "create table bare (id int primary key);");

	(void)state;
	assert_int_equal(trl_migrate(db.admin, &set, NULL, NULL), TRL_INTERNAL);
	assert_string_equal(
	    "t", test_db_sql(&db, "select to_regclass('pgtest.bare') is null"));
}

/* The class check: what goes wrong without each rule. */

static const struct {
	const char *break_it, *mend_it;
} breakages[] = {
	{ "alter table thing disable row level security",
	    "alter table thing enable row level security" },
	{ "alter table thing no force row level security",
	    "alter table thing force row level security" },
	{ "comment on table thing is null",
	    "comment on table thing is 'class: tenant'" },
	{ "comment on table thing is 'class: nothing'",
	    "comment on table thing is 'class: tenant'" },
	{ "comment on table thing is 'class: directory'",
	    "comment on table thing is 'class: tenant'" },
	{ "create unique index leak on thing (name)", "drop index leak" },
	{ "alter table thing add constraint leak foreign key (name) references "
	  "thing_name (name)",
	    "alter table thing drop constraint leak" },
	{ "create policy leak on thing using (true)", "drop policy leak on thing" },
	{ "create policy leak on note using (true)", "drop policy leak on note" },
	{ "create policy leak on thing for insert with check (true)",
	    "drop policy leak on thing" },
	{ "alter policy tenant on thing using (true)",
	    "alter policy tenant on thing using (tenant_id = "
	    "nullif(current_setting('trellis.tenant_id', true), '')::uuid)" },
	{ "alter policy tenant on thing rename to owner2; drop policy owner2 on thing",
	    "create policy tenant on thing using (tenant_id = "
	    "nullif(current_setting('trellis.tenant_id', true), '')::uuid)" },
	{ "create view leak as select id from thing", "drop view leak" },
	{ "create materialized view leak as select id from thing",
	    "drop materialized view leak" },
	{ "create function leak() returns bigint language sql security definer as "
	  "'select count(*) from thing'",
	    "drop function leak" },
	{ "alter table thing owner to pgtest_app",
	    "alter table thing owner to pgtest_owner; "
	    "grant select, insert, update, delete on thing to pgtest_app" },
	{ "do $do$ begin execute format('grant temporary on database %I to public', "
	  "current_database()); end $do$",
	    "do $do$ begin execute format('revoke temporary on database %I from "
	    "public', current_database()); end $do$" },
	{ "create table nokey (tenant_id uuid not null); comment on table nokey is "
	  "'class: tenant'; alter table nokey enable row level security, force row "
	  "level "
	  "security; alter table nokey owner to pgtest_owner",
	    "drop table nokey" },
};

static bool
classes_hold(void)
{
	PGconn *pq = PQconnectdb(db.admin);
	bool ok = pg_check_classes(pq, "pgtest");

	PQfinish(pq);
	return ok;
}

static void
the_class_check_finds_each_breakage(void **state)
{
	(void)state;
	test_db_sql(&db,
	    "set search_path = pgtest; create table thing_name (name text primary key);"
	    "alter table thing_name owner to pgtest_owner;"
	    "comment on table thing_name is 'class: system';"
	    "alter table thing_name enable row level security, force row level "
	    "security;");
	assert_true(classes_hold());
	for (size_t i = 0; i < TRL_COUNT(breakages); i++) {
		test_db_sql(&db, "set search_path = pgtest; %s", breakages[i].break_it);
		if (classes_hold())
			fail_msg("not found: %s", breakages[i].break_it);
		test_db_sql(&db, "set search_path = pgtest; %s", breakages[i].mend_it);
		if (!classes_hold())
			fail_msg("not mended: %s", breakages[i].mend_it);
	}
	test_db_sql(&db, "drop table pgtest.thing_name");
}

/* The rule behind them, seen once: a view without security_invoker leaks. */
static void
a_plain_view_shows_every_tenant(void **state)
{
	PGconn *pq;
	PGresult *res;

	(void)state;
	test_db_sql(&db,
	    "insert into pgtest.thing (tenant_id, id, name) values (gen_random_uuid(), "
	    "gen_random_uuid(), 'x'); create view pgtest.leak as select id from "
	    "pgtest.thing;"
	    "grant select on pgtest.leak to pgtest_app");
	pq = PQconnectdb(test_db_as(&db, "pgtest_app"));
	res = PQexec(pq, "select count(*) from pgtest.thing");
	assert_string_equal(PQgetvalue(res, 0, 0), "0");
	PQclear(res);
	res = PQexec(pq, "select count(*) from pgtest.leak");
	assert_string_equal(PQgetvalue(res, 0, 0), "1");
	PQclear(res);
	PQfinish(pq);
	test_db_sql(&db, "drop view pgtest.leak");
}

static enum trl_code
open_as(const char *user, const struct trl_sql_set *set)
{
	trl_loop *loop = trl_loop_new(NULL);
	trl_pg *pg = NULL;
	char url[512];
	enum trl_code rc;

	snprintf(url, sizeof url, "%s", test_db_as(&db, user));
	rc = trl_pg_open(loop, &(struct trl_pg_options){ .url = url, .sql = set }, &pg);
	trl_pg_close(&pg);
	trl_loop_free(&loop);
	return rc;
}

static void
a_role_that_can_pass_row_security_is_refused(void **state)
{
	static const char *const roles[][2] = {
		{ "trl_test_super", "superuser" },
		{ "trl_test_bypass", "bypassrls" },
		{ "trl_test_member", "in role pgtest_owner" },
		{ "trl_test_owner", "" },
	};

	(void)state;
	assert_int_equal(open_as("pgtest_app", &pgtest_sql), TRL_OK);
	for (size_t i = 0; i < TRL_COUNT(roles); i++) {
		char name[64];

		snprintf(name, sizeof name, "%s_%d", roles[i][0], (int)getpid());
		test_db_sql(&db, "create role %s login %s", name, roles[i][1]);
		test_db_sql(&db,
		    "grant usage on schema pgtest to %s;"
		    "grant select on pgtest.schema_migration to %s",
		    name, name);
		if (i == 3)
			test_db_sql(&db,
			    "create table owned (id int); alter table owned owner to "
			    "%s",
			    name);
		assert_int_equal(open_as(name, &pgtest_sql), TRL_INTERNAL);
		test_db_sql(&db, "drop owned by %s; drop role %s", name, name);
	}
}

static void
missing_migrations_and_bad_statements_stop_the_start(void **state)
{
	static const char *const none[] = { NULL };
	const struct trl_sql bad = { .name = "pgtest_bad",
		.file = "bad.sql",
		.text = "select nonsense from thing",
		.params = none,
		.message = "" };
	const struct trl_sql *const statements[] = { &bad };
	struct trl_sql_migration both[2];
	struct trl_sql_set set = with_second(both, "select 1;");

	(void)state;
	assert_int_equal(open_as("pgtest_app", &set), TRL_INTERNAL);
	set = pgtest_sql;
	set.statements = statements;
	set.n_statements = 1;
	assert_int_equal(open_as("pgtest_app", &set), TRL_INTERNAL);
	test_db_sql(&db,
	    "alter role pgtest_app in database %s set synchronous_commit = off",
	    db.name);
	assert_int_equal(open_as("pgtest_app", &pgtest_sql), TRL_INTERNAL);
	test_db_sql(&db, "alter role pgtest_app in database %s reset all", db.name);
}

/* As in a managed server, where nobody is superuser: from PostgreSQL 16 on, who makes a
 * role is its member and still may not act as it. */
static void
an_administrator_needs_only_to_make_roles(void **state)
{
	struct trl_sql_set set = pgtest_sql;
	char admin[512];

	(void)state;
	set.service = "pgboss";
	test_db_sql(&db, "create role pgtest_admin login createrole");
	test_db_sql(&db, "alter database %s owner to pgtest_admin", db.name);
	snprintf(admin, sizeof admin, "%s", test_db_as(&db, "pgtest_admin"));
	assert_int_equal(trl_migrate(admin, &set, NULL, NULL), TRL_OK);
	assert_int_equal(trl_migrate(admin, &set, NULL, NULL), TRL_OK);
	assert_string_equal("pgboss_owner",
	    test_db_sql(&db,
		"select tableowner from pg_tables where schemaname = 'pgboss' and "
		"tablename = 'thing'"));
	test_db_sql(&db, "alter database %s owner to current_user", db.name);
	test_db_sql(&db,
	    "drop schema pgboss cascade; drop owned by pgboss_owner, pgboss_app, "
	    "pgboss_sys, pgtest_admin; drop role pgboss_owner, pgboss_app, pgboss_sys, "
	    "pgtest_admin");
}

/* What another process migrates is waited for: the third look finds it. */
static void
waiting_ends_when_another_has_migrated(void **state)
{
	struct trl_sql_migration both[2];
	struct trl_sql_set set = with_second(both, "select 1;");
	char app[512], sys[512];
	pid_t pid;
	int status;

	(void)state;
	snprintf(app, sizeof app, "%s", test_db_as(&db, "pgtest_app"));
	snprintf(sys, sizeof sys, "%s", test_db_as(&db, "pgtest_sys"));
	assert_int_equal(trl_migrate_await(&pgtest_sql, app, sys, 0), TRL_OK);
	assert_int_equal(trl_migrate_await(&set, app, sys, 0), TRL_UNAVAILABLE);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(trl_migrate_await(&set, app, sys, 60) == TRL_OK ? 0 : 1);
	assert_int_equal(0, waitpid(pid, &status, WNOHANG));
	assert_int_equal(trl_migrate(db.admin, &set, NULL, NULL), TRL_OK);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	test_db_sql(
	    &db, "delete from pgtest.schema_migration where name = '0002_second'");
}

static void
waiting_is_for_both_roles_and_the_right_files(void **state)
{
	struct trl_sql_migration edited = pgtest_sql.migrations[0];
	struct trl_sql_set set = pgtest_sql;
	char app[512], none[512];

	(void)state;
	snprintf(app, sizeof app, "%s", test_db_as(&db, "pgtest_app"));
	snprintf(none, sizeof none, "%s", test_db_as(&db, "pgtest_nobody"));
	assert_int_equal(trl_migrate_await(&pgtest_sql, app, none, 0), TRL_UNAVAILABLE);
	assert_int_equal(trl_migrate_await(&pgtest_sql, "host=/nonexistent", app, 0),
	    TRL_UNAVAILABLE);
	edited.checksum[0] ^= 1;
	set.migrations = &edited;
	assert_int_equal(trl_migrate_await(&set, app, app, 60), TRL_INTERNAL);
}

static void
a_server_that_does_not_answer_is_unavailable(void **state)
{
	trl_loop *loop = trl_loop_new(NULL);
	trl_pg *pg = NULL;

	(void)state;
	assert_int_equal(
	    trl_pg_open(loop,
		&(struct trl_pg_options){
		    .url = "host=/nonexistent dbname=x", .sql = &pgtest_sql },
		&pg),
	    TRL_UNAVAILABLE);
	assert_null(pg);
	assert_int_equal(
	    trl_migrate("host=/nonexistent dbname=x", &pgtest_sql, NULL, NULL),
	    TRL_UNAVAILABLE);
	trl_loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(migrating_twice_is_harmless),
		cmocka_unit_test(roles_get_the_passwords_of_their_urls),
		cmocka_unit_test(an_edited_file_is_refused),
		cmocka_unit_test(a_failing_file_changes_nothing),
		cmocka_unit_test(a_table_without_a_class_is_refused_as_a_whole),
		cmocka_unit_test(the_class_check_finds_each_breakage),
		cmocka_unit_test(a_plain_view_shows_every_tenant),
		cmocka_unit_test(a_role_that_can_pass_row_security_is_refused),
		cmocka_unit_test(missing_migrations_and_bad_statements_stop_the_start),
		cmocka_unit_test(an_administrator_needs_only_to_make_roles),
		cmocka_unit_test(waiting_ends_when_another_has_migrated),
		cmocka_unit_test(waiting_is_for_both_roles_and_the_right_files),
		cmocka_unit_test(a_server_that_does_not_answer_is_unavailable),
	};

	return cmocka_run_group_tests_name("migrate", tests, make_db, drop_db);
}
