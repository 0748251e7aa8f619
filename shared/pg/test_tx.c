/* test_tx.c - interactive transactions, and what locks held elsewhere do. */
#include "test_world.h"

#include <trl/metrics.h>

static void
transact(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	Pgtest__Thing *a = world_thing(ctx, tenant, "a"), out = PGTEST__THING__INIT;
	trl_tx *tx = NULL;

	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, &out.base), TRL_OK);
	CHECK(strcmp(out.name, "a") == 0);
	trl_tx_rollback(&tx);
	CHECK(world_count(ctx, tenant) == 0);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_OK);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_OK);
	CHECK(world_count(ctx, tenant) == 1);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(tenant), &tx), TRL_OK);
	CHECK_CODE(
	    trl_tx_run(tx, &pgtest_sql_thing_insert, &a->base, NULL), TRL_INTERNAL);
	CHECK_CODE(trl_tx_commit(&tx, NULL), TRL_INTERNAL);
	CHECK(tx == NULL && world_count(ctx, tenant) == 1);
}

static void
a_transaction_commits_or_leaves_nothing(void **state)
{
	(void)state;
	world_run(transact);
}

static struct trl_id contended;
static struct trl_id contended_tenant;
static bool is_held, was_tried;

static bool
held(void)
{
	return is_held;
}

static bool
tried(void)
{
	return was_tried;
}

static void
hold_lock(trl_ctx *ctx)
{
	Pgtest__Thing *a = world_thing(ctx, contended_tenant, "held");
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant));
	trl_tx *tx = NULL;

	memcpy(contended.bytes, a->id.data, 16);
	trl_batch_add(batch, &pgtest_sql_thing_insert, &a->base);
	CHECK_CODE(trl_batch_write(batch, NULL), TRL_OK);
	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant), &tx),
	    TRL_OK);
	CHECK_CODE(trl_tx_run(tx, &pgtest_sql_thing_lock, &a->base, NULL), TRL_OK);
	is_held = true;
	CHECK(world_until(ctx, tried));
	trl_tx_rollback(&tx);
}

static void
want_lock(trl_ctx *ctx)
{
	trl_batch *batch =
	    trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(contended_tenant));

	CHECK(world_until(ctx, held));
	trl_batch_add(batch, &pgtest_sql_thing_grow, NULL, TRL_ARG_ID("id", contended));
	enum trl_code rc = trl_batch_write(batch, NULL);
	was_tried = true;
	CHECK(rc == TRL_BUSY && ctx->err.retry_after_ms > 0);
}

static void
a_lock_held_elsewhere_is_busy_and_not_a_wait(void **state)
{
	(void)state;
	contended_tenant = trl_id_new();
	world_run_two(hold_lock, want_lock);
}

static enum trl_code
clash(trl_ctx *ctx, struct trl_id tenant, const char *name, long *attempts)
{
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));
	enum trl_code rc;

	(void)test_db_sql(&world.db, "select setval('pgtest.clash', 1, false)");
	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, name)->base);
	rc = trl_batch_write(batch, NULL);
	*attempts = atol(test_db_sql(&world.db, "select last_value from pgtest.clash"));
	return rc;
}

static void
clash_and_try_again(trl_ctx *ctx)
{
	struct trl_id tenant = trl_id_new();
	long attempts;

	CHECK_CODE(clash(ctx, tenant, "clashes 1", &attempts), TRL_OK);
	CHECK(attempts == 2);
	CHECK_CODE(clash(ctx, tenant, "clashes 3 deadlock", &attempts), TRL_OK);
	CHECK(attempts == 4 && world_count(ctx, tenant) == 2);
	enum trl_code rc = clash(ctx, tenant, "clashes 100", &attempts);
	CHECK(rc == TRL_CONFLICT && ctx->err.retry_after_ms > 0);
	trl_err_clear(ctx);
	CHECK(attempts == 4 && world_count(ctx, tenant) == 2);
}

/* Reliability, case 30. */
static void
a_clash_is_tried_three_times_more_and_then_a_conflict(void **state)
{
	(void)state;
	world_run(clash_and_try_again);
}

enum { CROWD = 20 };

static unsigned begun;
static bool was_shown;

/* What waits for a connection, as an operator sees it; -1: no such line. */
static int
shown(const char *line)
{
	struct trl_buf text = { 0 };
	const char *at;
	int value;

	trl_metrics_render(&text, false);
	trl_buf_add(&text, "", 1);
	at = strstr((const char *)text.data, line);
	value = at ? atoi(at + strlen(line)) : -1;
	trl_buf_fini(&text);
	return value;
}

static bool
seen(void)
{
	/* Where it takes long, the pool's own question for its health waits as well. */
	was_shown =
	    was_shown ||
	    (begun == 8 &&
		shown("\ntrellis_pg_waiting{schema=\"pgtest\",kind=\"write\"} ") >=
		    CROWD - 8);
	return was_shown;
}

static bool
nobody_waits(void *self)
{
	(void)self;
	return shown("\ntrellis_pg_waiting{schema=\"pgtest\",kind=\"write\"} ") == 0;
}

static void
hold_until_seen(trl_ctx *ctx)
{
	trl_tx *tx = NULL;

	CHECK_CODE(
	    trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(trl_id_new()), &tx), TRL_OK);
	begun++;
	CHECK(world_until(ctx, seen));
	trl_tx_rollback(&tx);
}

/* Eight connections for writes, each lent to a transaction: the others queue. */
static void
an_operator_sees_who_waits_for_a_connection(void **state)
{
	body *crowd[CROWD];

	(void)state;
	for (int i = 0; i < CROWD; i++)
		crowd[i] = hold_until_seen;
	world_run_many_for(crowd, CROWD, 60000); /* eight connections are made */
	assert_int_equal(begun, CROWD);
	assert_true(trl_loop_run_until(world.loop, nobody_waits, NULL, 20000));
	assert_int_equal(shown("\ntrellis_pg_pipelined{schema=\"pgtest\"} "), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transaction_commits_or_leaves_nothing),
		cmocka_unit_test(a_lock_held_elsewhere_is_busy_and_not_a_wait),
		cmocka_unit_test(a_clash_is_tried_three_times_more_and_then_a_conflict),
		cmocka_unit_test(an_operator_sees_who_waits_for_a_connection),
	};

	return cmocka_run_group_tests_name("tx", tests, world_open, world_close);
}
