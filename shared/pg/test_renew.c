/* test_renew.c - what changes in PostgreSQL while connections live: columns, prepared
 * statements that go, a server that takes no writes. Whoever asks does not notice, or
 * is told that it cannot be now; never that something is broken. */
#include <trl/metrics.h>

#include "test_world.h"

#include "pool.h"

enum { SIDE_BY_SIDE = 24 };

static struct trl_id tenant, thing_id;
static int64_t amount;

static enum trl_code
insert(trl_ctx *ctx, const char *name, int64_t value)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Thing *thing = world_thing(ctx, tenant, name);
	Pgtest__Answer reply = PGTEST__ANSWER__INIT;
	char key[TRL_ID_TEXT];

	thing->has_amount = 1;
	thing->amount = value;
	memcpy(thing_id.bytes, thing->id.data, 16);
	trl_id_format(thing_id, key);
	world_key(ctx, key, 1);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &thing->base);
	return trl_batch_write(batch, &reply.base);
}

static enum trl_code
get(trl_ctx *ctx, Pgtest__Thing *out)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	pgtest__thing__init(out);
	trl_batch_get(
	    batch, &pgtest_sql_thing_get, NULL, &out->base, TRL_ARG_ID("id", thing_id));
	return trl_batch_read(batch);
}

static enum trl_code
grow(trl_ctx *ctx, int64_t *n)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	enum trl_code rc;

	trl_batch_get(batch, &pgtest_sql_thing_grow, NULL, &answer.base,
	    TRL_ARG_ID("id", thing_id));
	rc = trl_batch_write_unrecorded(batch);
	*n = answer.n;
	return rc;
}

static enum trl_code
grow_in_tx(trl_ctx *ctx, int64_t *n)
{
	TRL_AUTO(trl_tx_rollback) trl_tx *tx = NULL;
	Pgtest__Answer answer = PGTEST__ANSWER__INIT;
	enum trl_code rc;

	rc = trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx);
	if (rc == TRL_OK)
		rc = trl_tx_run(tx, &pgtest_sql_thing_grow, NULL, &answer.base,
		    TRL_ARG_ID("id", thing_id));
	if (rc == TRL_OK)
		rc = trl_tx_commit(&tx, NULL);
	*n = answer.n;
	return rc;
}

static void
make(trl_ctx *ctx)
{
	CHECK_CODE(insert(ctx, "made before", 7), TRL_OK);
}

static void
read_one(trl_ctx *ctx)
{
	Pgtest__Thing thing;

	CHECK_CODE(get(ctx, &thing), TRL_OK);
	CHECK(thing.amount == amount);
}

static void
grow_one(trl_ctx *ctx)
{
	int64_t n;

	CHECK_CODE(grow(ctx, &n), TRL_OK);
	CHECK(n > 7);
}

static void
run_side_by_side(body *fn)
{
	body *fns[SIDE_BY_SIDE];

	for (size_t i = 0; i < TRL_COUNT(fns); i++)
		fns[i] = fn;
	world_run_many(fns, TRL_COUNT(fns));
}

/* Every connection knows the statements as they were. */
static void
begin_with(const char *sql)
{
	tenant = trl_id_new();
	test_db_sql(&world.db, "delete from pgtest.thing; %s", sql);
	world_run(make);
	amount = 7;
	run_side_by_side(read_one);
	run_side_by_side(grow_one);
	amount += SIDE_BY_SIDE;
}

static void
a_column_that_changed_its_type_is_read_as_if_nothing_were(void **state)
{
	(void)state;
	begin_with("alter table pgtest.thing alter amount type integer");
	test_db_sql(&world.db, "alter table pgtest.thing alter amount type bigint");
	run_side_by_side(read_one);
}

static void
a_column_that_changed_its_type_is_written_as_if_nothing_were(void **state)
{
	(void)state;
	begin_with("alter table pgtest.thing alter amount type integer");
	test_db_sql(&world.db, "alter table pgtest.thing alter amount type bigint");
	run_side_by_side(grow_one);
	amount += SIDE_BY_SIDE; /* each once */
	run_side_by_side(read_one);
}

static void
write_large(trl_ctx *ctx)
{
	Pgtest__Thing thing;

	CHECK_CODE(get(ctx, &thing), TRL_OK); /* meets the change */
	CHECK_CODE(insert(ctx, "large", INT64_C(1) << 40), TRL_OK);
	CHECK_CODE(get(ctx, &thing), TRL_OK);
	CHECK(thing.amount == INT64_C(1) << 40);
}

/* The parameter's type is learned anew, too: an integer would not hold it. */
static void
a_column_that_became_wider_takes_what_it_holds(void **state)
{
	(void)state;
	begin_with("alter table pgtest.thing alter amount type integer");
	test_db_sql(&world.db, "alter table pgtest.thing alter amount type bigint");
	world_run(write_large);
}

static void
change_in_tx(trl_ctx *ctx)
{
	int64_t n;
	enum trl_code rc = grow_in_tx(ctx, &n);

	if (rc == TRL_UNAVAILABLE) { /* what the caller's caller does then */
		trl_err_clear(ctx);
		rc = grow_in_tx(ctx, &n);
	}
	CHECK_CODE(rc, TRL_OK);
	CHECK(n == amount + 1);
}

static void
an_open_transaction_is_told_to_come_again(void **state)
{
	(void)state;
	begin_with("alter table pgtest.thing alter amount type integer");
	test_db_sql(&world.db, "alter table pgtest.thing alter amount type bigint");
	world_run(change_in_tx);
}

/* Statements that are gone. */

static void
deallocate(trl_ctx *ctx)
{
	int64_t n;

	CHECK_CODE(insert(ctx, "deallocates", 7), TRL_OK);
	CHECK_CODE(grow(ctx, &n), TRL_OK);
	CHECK(n == 8);
	for (int i = 0; i < 20; i++)
		CHECK_CODE(grow(ctx, &n), TRL_OK);
	CHECK(n == 28);
}

static void
a_statement_that_is_not_prepared_any_more_is_prepared_anew(void **state)
{
	(void)state;
	tenant = trl_id_new();
	test_db_sql(&world.db,
	    "create or replace function pgtest.deallocate() returns trigger language "
	    "plpgsql as 'begin execute ''deallocate all''; return null; end';"
	    "create trigger deallocate after insert on pgtest.thing for each row when "
	    "(new.name = 'deallocates') execute function pgtest.deallocate()");
	world_run(deallocate);
	test_db_sql(&world.db, "drop function pgtest.deallocate() cascade");
}

/* A server that does not take writes. */

static bool
is_ill(void *pg)
{
	return trl_pg_unready(pg) != NULL;
}

static bool
is_well(void *pg)
{
	return trl_pg_unready(pg) == NULL;
}

static bool
shows(const char *line)
{
	struct trl_buf text = { 0 };
	bool found;

	trl_metrics_render(&text, false);
	found = memmem(text.data, text.len, line, strlen(line)) != NULL;
	trl_buf_fini(&text);
	return found;
}

static void
write_refused(trl_ctx *ctx)
{
	Pgtest__Thing thing;

	CHECK_CODE(insert(ctx, "refused", 1), TRL_UNAVAILABLE);
	CHECK(world_count(ctx, tenant) == 0);
	CHECK_CODE(get(ctx, &thing), TRL_NOT_FOUND); /* reads go on */
	CHECK(strstr(trl_pg_unready(world.pg), "read-only") != NULL);
	CHECK(shows("\ntrellis_pg_read_only{schema=\"pgtest\"} 1\n"));
}

static bool
takes_writes(trl_ctx *ctx)
{
	for (int i = 0; i < 500; i++) {
		if (insert(ctx, "taken", 1) == TRL_OK)
			return true;
		if (ctx->err.code != TRL_UNAVAILABLE || trl_sleep(ctx, 10) != TRL_OK)
			return false;
		trl_err_clear(ctx);
	}
	return false;
}

static void
write_taken(trl_ctx *ctx)
{
	CHECK(takes_writes(ctx));
	CHECK(world_count(ctx, tenant) == 1);
}

static void
end_sessions(void)
{
	test_db_sql(&world.db,
	    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
	    " where usename = 'pgtest_app' and datname = current_database()");
}

/* As after a failover, where the old primary has become a standby. */
static void
what_a_read_only_server_refuses_is_unavailable_until_another_takes_it(void **state)
{
	(void)state;
	tenant = trl_id_new();
	test_db_sql(&world.db,
	    "alter role pgtest_app in database %s set default_transaction_read_only = "
	    "on",
	    world.db.name);
	end_sessions();
	world_run(write_refused);
	test_db_sql(&world.db,
	    "alter role pgtest_app in database %s reset default_transaction_read_only",
	    world.db.name);
	world_run(write_taken);
	assert_true(trl_loop_run_until(world.loop, is_well, world.pg, 10000));
}

static void
a_read_only_server_is_noticed_where_nobody_writes(void **state)
{
	(void)state;
	test_db_sql(&world.db,
	    "alter role pgtest_app in database %s set default_transaction_read_only = "
	    "on",
	    world.db.name);
	end_sessions();
	assert_true(trl_loop_run_until(world.loop, is_ill, world.pg, 10000));
	assert_non_null(strstr(trl_pg_unready(world.pg), "read-only"));
	test_db_sql(&world.db,
	    "alter role pgtest_app in database %s reset default_transaction_read_only",
	    world.db.name);
	assert_true(trl_loop_run_until(world.loop, is_well, world.pg, 10000));
}

static void
write_on_full_disk(trl_ctx *ctx)
{
	CHECK_CODE(insert(ctx, "needs room", 1), TRL_UNAVAILABLE);
	CHECK(strstr(trl_pg_unready(world.pg), "disk is full") != NULL);
}

static void
a_full_disk_is_told_until_there_is_room(void **state)
{
	(void)state;
	tenant = trl_id_new();
	test_db_sql(&world.db,
	    "create or replace function pgtest.fill() returns trigger language plpgsql "
	    "as 'begin raise exception using errcode = ''53100''; end';"
	    "create trigger fill after insert on pgtest.thing for each row when "
	    "(new.name = 'needs room') execute function pgtest.fill()");
	world_run(write_on_full_disk);
	assert_true(trl_loop_run_until(world.loop, is_well, world.pg, 10000));
	test_db_sql(&world.db, "drop function pgtest.fill() cascade");
}

/* A schema that fits no more. */

static void
read_broken(trl_ctx *ctx)
{
	Pgtest__Thing thing;

	for (int i = 0; i < 5; i++) {
		CHECK_CODE(get(ctx, &thing), TRL_UNAVAILABLE);
	}
}

static bool
fits_not(void *pg)
{
	return !trl_pg_ready(pg);
}

static bool
fits(void *pg)
{
	return trl_pg_ready(pg);
}

static void
a_schema_that_fits_no_more_is_unready_and_not_broken(void **state)
{
	(void)state;
	begin_with("select 1");
	test_db_sql(&world.db, "alter table pgtest.thing rename share to part");
	world_run(read_broken);
	assert_true(trl_loop_run_until(world.loop, fits_not, world.pg, 10000));
	assert_non_null(strstr(trl_pg_unready(world.pg), "does not fit"));
	test_db_sql(&world.db, "alter table pgtest.thing rename part to share");
	assert_true(trl_loop_run_until(world.loop, fits, world.pg, 10000));
	run_side_by_side(read_one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_column_that_changed_its_type_is_read_as_if_nothing_were),
		cmocka_unit_test(
		    a_column_that_changed_its_type_is_written_as_if_nothing_were),
		cmocka_unit_test(a_column_that_became_wider_takes_what_it_holds),
		cmocka_unit_test(an_open_transaction_is_told_to_come_again),
		cmocka_unit_test(
		    a_statement_that_is_not_prepared_any_more_is_prepared_anew),
		cmocka_unit_test(
		    what_a_read_only_server_refuses_is_unavailable_until_another_takes_it),
		cmocka_unit_test(a_read_only_server_is_noticed_where_nobody_writes),
		cmocka_unit_test(a_full_disk_is_told_until_there_is_room),
		cmocka_unit_test(a_schema_that_fits_no_more_is_unready_and_not_broken),
	};

	return cmocka_run_group_tests_name("renew", tests, world_open, world_close);
}
