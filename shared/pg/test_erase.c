/* What of a tenant goes when it is erased, by the tables' classes and in the order of
 * their foreign keys, piece by piece; and that nothing else does. */
#include "test_world.h"

#include "framework_sql.h"

#include <libpq-fe.h>

#define A "'00000000-0000-7000-8000-00000000000a'"
#define B "'00000000-0000-7000-8000-00000000000b'"

/* Tables whose names are in no helpful order, with rows of two tenants. */
static const char tables[] =
    "create table branch (tenant_id uuid not null, id int, primary key (tenant_id, "
    "id));"
    "comment on table branch is 'class: tenant; app: select';"
    "create table leaf (tenant_id uuid not null, id int, branch int not null,"
    " primary key (tenant_id, id), foreign key (tenant_id, branch) references branch);"
    "comment on table leaf is 'class: tenant';"
    "create table twig (tenant_id uuid not null, id int, account_id uuid, leaf int, "
    " primary key (tenant_id, id), foreign key (tenant_id, leaf) references leaf);"
    "comment on table twig is 'class: tenant person';"
    "create table tree (tenant_id uuid not null, id int, up int,"
    " primary key (tenant_id, id), foreign key (tenant_id, up) references tree);"
    "comment on table tree is 'class: tenant';"
    "create table line (tenant_id uuid not null, id int generated always as identity"
    " primary key);"
    "comment on table line is 'class: system; app: none';"
    "create table kept (tenant_id uuid not null primary key);"
    "comment on table kept is 'class: tenant; sys: select; erase: no';"
    "create table proof (tenant_id uuid not null, id int, primary key (tenant_id, id));"
    "comment on table proof is 'class: tenant; sys: insert; erase: later';";

static const char rows[] =
    "insert into branch select t, i from who, generate_series(1, 2500) i;"
    "insert into leaf select t, i, i from who, generate_series(1, 2500) i;"
    "insert into twig select t, i, gen_random_uuid(), i from who, "
    " generate_series(1, 300) i;"
    "insert into tree select t, i, nullif(i - 1, 0) from who, generate_series(1, 1200) "
    "i;"
    "insert into line (tenant_id) select t from who, generate_series(1, 1001) i;"
    "insert into kept select t from who;"
    "insert into proof select t, i from who, generate_series(1, 25) i;"
    "insert into thing (tenant_id, id, name) select t, gen_random_uuid(), i::text from "
    " who, generate_series(1, 10) i;"
    "insert into thing_directory select 'of ' || t, t from who;"
    "insert into note select t, gen_random_uuid(), 'a person''s' from who;";

static int
open_all(void **state)
{
	if (world_open(state) != 0)
		return -1;
	world.db.schema = "pgtest";
	test_db_sql(&world.db, "set role pgtest_owner; %s", tables);
	test_db_sql(&world.db, "%s", trl_sql_rights);
	return 0;
}

static int
fill(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "truncate branch, leaf, twig, tree, line, kept, proof, thing, "
	    "thing_directory, note, erasure, audit, audit_head, job; "
	    "create temporary view who as select t::uuid from (values (" A "), (" B
	    ")) v (t); %s",
	    rows);
	return 0;
}

/* As the service's worker does it, for tenant A. */
#define AS_SYS "set role pgtest_sys; set trellis.tenant_id = " A "; "

/* How many of a tenant's (or person's) rows each table holds. */
static const char *
count_of(const char *who)
{
	return test_db_sql(&world.db,
	    "select concat_ws(' ', (select count(*) from branch where tenant_id = t), "
	    "(select count(*) from leaf where tenant_id = t), "
	    "(select count(*) from twig where tenant_id = t), "
	    "(select count(*) from tree where tenant_id = t), "
	    "(select count(*) from line where tenant_id = t), "
	    "(select count(*) from thing where tenant_id = t), "
	    "(select count(*) from thing_directory where tenant_id = t), "
	    "(select count(*) from kept where tenant_id = t), "
	    "(select count(*) from proof where tenant_id = t), "
	    "(select count(*) from note where account_id = t)) "
	    "from (select %s::uuid) w (t)",
	    who);
}

/* All that stands in the schema of others than tenant A, row for row. */
static char *
print_of_others(void)
{
	return strdup(test_db_sql(&world.db,
	    "select md5(string_agg(x, ',' order by x)) from ("
	    "select b::text from branch b where tenant_id <> " A
	    " union all select l::text from leaf l where tenant_id <> " A
	    " union all select t::text from twig t where tenant_id <> " A
	    " union all select t::text from tree t where tenant_id <> " A
	    " union all select l::text from line l where tenant_id <> " A
	    " union all select t::text from thing t where tenant_id <> " A
	    " union all select d::text from thing_directory d where tenant_id <> " A
	    " union all select k::text from kept k"
	    " union all select p::text from proof p"
	    " union all select n::text from note n) all_rows (x)"));
}

static void
tables_go_in_the_order_of_their_foreign_keys(void **state)
{
	(void)state;
	assert_string_equal(
	    "{job_weight,line,parked,thing,thing_directory,tree,twig,leaf,branch}",
	    test_db_sql(&world.db, "select trl_erasable('now')"));
	assert_string_equal("{audit,audit_head,proof}",
	    test_db_sql(&world.db, "select trl_erasable('later')"));
}

/* Each begins anew, as after a crash, and finds what is left. */
static void
piece_by_piece_everything_of_one_tenant_goes_and_nothing_else(void **state)
{
	char *before = print_of_others(), *after;
	unsigned pieces = 0, all = 0, gone;

	(void)state;
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 25 1", count_of(A));
	do {
		gone = (unsigned)atoi(test_db_sql(&world.db,
		    AS_SYS "select gone from trl_erase_piece(" A ", 'now', 1, 500)"));
		/* What refers to others of its own table goes whole. */
		assert_true(gone <= 500 || gone == 1200);
		all += gone;
		pieces++;
	} while (gone > 0);
	assert_int_equal(all, 2500 + 2500 + 300 + 1200 + 1001 + 10 + 1);
	assert_int_equal(pieces, 5 + 5 + 1 + 1 + 3 + 1 + 1 + 1);
	assert_string_equal("0 0 0 0 0 0 0 1 25 1", count_of(A));
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 25 1", count_of(B));
	after = print_of_others();
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
a_piece_says_where_the_next_one_begins(void **state)
{
	static const char piece[] = AS_SYS "select concat_ws(' ', gone, place) from "
					   "trl_erase_piece(" A ", 'now', %d, 600)";

	(void)state;
	assert_string_equal("600 2", test_db_sql(&world.db, piece, 1)); /* line */
	assert_string_equal("401 2", test_db_sql(&world.db, piece, 2));
	assert_string_equal("10 4", test_db_sql(&world.db, piece, 2));
	assert_string_equal("300 7", test_db_sql(&world.db, piece, 7));
	for (int i = 0; i < 5; i++)
		assert_string_equal(
		    i < 4 ? "600 8" : "100 8", test_db_sql(&world.db, piece, 8));
	for (int i = 0; i < 5; i++)
		assert_string_equal(
		    i < 4 ? "600 9" : "100 9", test_db_sql(&world.db, piece, 9));
	assert_string_equal("0 0", test_db_sql(&world.db, piece, 9));
	assert_string_equal("0 0", test_db_sql(&world.db, piece, 10));
}

/* Under row security a worker that has another tenant's scope erases nothing. */
static void
rows_are_a_tenants_own(void **state)
{
	(void)state;
	assert_string_equal("0", test_db_sql(&world.db, AS_SYS
				     "select trl_erase_rows(" B ", 'branch', 10) + "
				     "trl_erase_rows(" B ", 'thing', 10)"));
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 25 1", count_of(B));
}

static void
maintain_takes_the_proof_a_year_later(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "insert into erasure (tenant_id, finished_at) values (" A
	    ", now() - interval "
	    "'364 days'), (gen_random_uuid(), now() - interval '2 years'); "
	    "insert into audit_head select t::uuid, 30, '', '' from (values (" A
	    "), (" B ")) v (t); "
	    "insert into audit (tenant_id, seq, id, at, action, actor_kind, "
	    "subject_kind, address, trace_id, prev_hash, hash) select t::uuid, i, "
	    "gen_random_uuid(), now(), '', '', '', '', '', '', '' from (values (" A
	    "), (" B ")) v (t), generate_series(1, 30) i");
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 25 1", count_of(A));
	assert_string_equal("60", test_db_sql(&world.db, "select count(*) from audit"));
	test_db_sql(&world.db, "update erasure set finished_at = now() - interval '366 "
			       "days' where tenant_id = " A);
	assert_int_equal(trl_pg_maintain(world.db.admin, &pgtest_sql), TRL_OK);
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 0 1", count_of(A));
	assert_string_equal("2500 2500 300 1200 1001 10 1 1 25 1", count_of(B));
	assert_string_equal(
	    "30 1", test_db_sql(&world.db, "select count(*) || ' ' || (select count(*) "
					   "from audit_head) from audit"));
	assert_string_equal(
	    "2", test_db_sql(&world.db,
		     "select count(*) from erasure where later_at is not null"));
}

/* What a migration refuses. */

/* The first of the sentences of the check of the tables, with these beside. */
static char *
refusal_of(const char *more)
{
	static const char *const values[] = { "pgtest" };
	static const Oid types[] = { 25 };
	PGconn *pq = PQconnectdb(world.db.admin);
	PGresult *res;
	const char *said;
	char *copy;

	/* Rights are the server's, and another test may be giving some at this moment.
	 */
	for (int tries = 0; tries < 20; tries++) {
		PQclear(PQexec(pq, "rollback; begin; set search_path = pgtest; set "
				   "local role pgtest_owner"));
		PQclear(PQexec(pq, more));
		PQclear(PQexec(pq, "reset role"));
		PQclear(PQexec(pq, trl_sql_rights));
		if (PQtransactionStatus(pq) == PQTRANS_INTRANS)
			break;
	}
	res = PQexecParams(pq, trl_sql_classes, 1, types, values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s", PQerrorMessage(pq));
	said = PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "";
	for (int i = 1; i < PQntuples(res); i++)
		if (strcmp(PQgetvalue(res, i, 0), said) < 0)
			said = PQgetvalue(res, i, 0);
	copy = strdup(said);
	PQclear(res);
	PQfinish(pq);
	return copy;
}

static void
a_table_that_cannot_be_erased_is_refused(void **state)
{
	static const struct {
		const char *tables, *says;
	} wants[] = {
		{ "", "" },
		{ "create table bad (tenant_id uuid not null primary key); comment on "
		  "table bad is 'class: tenant; sys: select, insert'",
		    "table bad: pgtest_sys may not delete the rows of a tenant that is "
		    "erased: give it 'sys: select, delete', or say 'erase: no'" },
		{ "create table bad (tenant_id uuid not null primary key); comment on "
		  "table bad is 'class: tenant; sys: select; erase: no'",
		    "" },
		{ "create table bad (tenant_id uuid not null primary key); comment on "
		  "table bad is 'class: tenant; erase: never'",
		    "table bad: erase: never is neither no nor later" },
		{ "create table hen (tenant_id uuid not null, id int, egg int, primary "
		  "key (tenant_id, id)); create table egg (tenant_id uuid not null, id "
		  "int, hen int, primary key (tenant_id, id), foreign key (tenant_id, "
		  "hen) references hen); alter table hen add constraint hen_egg "
		  "foreign "
		  "key (tenant_id, egg) references egg; comment on table hen is "
		  "'class: "
		  "tenant'; comment on table egg is 'class: tenant'",
		    "the foreign keys of egg lead back to it, so that no order erases "
		    "a "
		    "tenant: say 'erase: no' of a table whose rows go with another's" },
	};

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		char *said = refusal_of(wants[i].tables);

		assert_string_equal(said, wants[i].says);
		free(said);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, fill)
	const struct CMUnitTest tests[] = {
		T(tables_go_in_the_order_of_their_foreign_keys),
		T(piece_by_piece_everything_of_one_tenant_goes_and_nothing_else),
		T(a_piece_says_where_the_next_one_begins),
		T(rows_are_a_tenants_own),
		T(maintain_takes_the_proof_a_year_later),
		T(a_table_that_cannot_be_erased_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, world_close);
}
