/* test_silent.c - the way to PostgreSQL is cut without a word: whoever waits then may
 * be lost, but none that comes after. A connection's descriptor is made one that takes
 * all and never answers. */
#include "test_world.h"

#include <unistd.h>
#include <sys/socket.h>

#include "pool.h"

enum { HOLDERS = 4 };

static unsigned holders;

static bool
all_hold(void)
{
	return holders == HOLDERS;
}

static void
hold(trl_ctx *ctx)
{
	trl_tx *tx = NULL;

	CHECK_CODE(trl_tx_begin(ctx, world.pg, TRL_SCOPE_TENANT(trl_new_id(ctx)), &tx),
	    TRL_OK);
	holders++;
	bool all = world_until(ctx, all_hold);
	trl_tx_rollback(&tx);
	CHECK(all);
}

static unsigned
silence(struct pg_conn *conns, size_t n)
{
	unsigned made = 0;

	for (size_t i = 0; i < n; i++) {
		int ends[2];

		if (conns[i].state != PG_UP)
			continue;
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		assert_true(dup2(ends[0], PQsocket(conns[i].pq)) >= 0);
		close(ends[0]); /* the other end stays open, and is not read */
		made++;
	}
	return made;
}

static void
read_in_vain(trl_ctx *ctx)
{
	CHECK(world_count(ctx, trl_new_id(ctx)) == -1);
}

static void
read_and_say_why(trl_ctx *ctx)
{
	CHECK(world_count(ctx, trl_new_id(ctx)) == -1);
	CHECK_CODE(ctx->err.code, TRL_UNAVAILABLE);
}

static void
read_well(trl_ctx *ctx)
{
	for (int i = 0; i < 8; i++)
		CHECK(world_count(ctx, trl_new_id(ctx)) == 0);
}

static enum trl_code
write_one(trl_ctx *ctx)
{
	struct trl_id tenant = trl_new_id(ctx);
	trl_batch *batch = trl_batch_new(ctx, world.pg, TRL_SCOPE_TENANT(tenant));

	trl_batch_add(
	    batch, &pgtest_sql_thing_insert, &world_thing(ctx, tenant, "x")->base);
	return trl_batch_write_unrecorded(batch);
}

static void
write_in_vain(trl_ctx *ctx)
{
	CHECK_CODE(write_one(ctx), TRL_UNCERTAIN);
}

static void
write_well(trl_ctx *ctx)
{
	for (int i = 0; i < 8; i++)
		CHECK_CODE(write_one(ctx), TRL_OK);
}

static bool
nothing_connects(void *arg)
{
	(void)arg;
	return world.pg->connecting == NULL;
}

static bool
reads_are_up(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < world.pg->n_reads; i++)
		if (world.pg->reads[i].state != PG_UP)
			return false;
	return true;
}

static void
one_silent_read_costs_no_other(void **state)
{
	(void)state;
	assert_true(trl_loop_run_until(world.loop, reads_are_up, NULL, 10000));
	assert_int_equal(silence(world.pg->reads, world.pg->n_reads), 2);
	world_run_for(read_in_vain, 1000);
	world_run_for(read_well, 4000);
}

/* Whoever has waited long enough to know is told that it is away, and not that it was
 * slow, so that they may come again. */
static void
a_server_that_says_nothing_is_away(void **state)
{
	(void)state;
	assert_true(trl_loop_run_until(world.loop, reads_are_up, NULL, 10000));
	assert_true(trl_loop_run_until(world.loop, nothing_connects, NULL, 10000));
	assert_int_equal(silence(world.pg->reads, world.pg->n_reads), 2);
	assert_true(silence(world.pg->writes, world.pg->n_writes) > 0);
	world_run_for(read_and_say_why, PG_UNHEARD_MS + 1000);
}

static void
one_silent_write_costs_no_other(void **state)
{
	body *const all[HOLDERS] = { hold, hold, hold, hold };

	(void)state;
	world_run_many((body **)(uintptr_t)all, HOLDERS);
	assert_true(trl_loop_run_until(world.loop, nothing_connects, NULL, 10000));
	assert_true(silence(world.pg->writes, world.pg->n_writes) >= HOLDERS);
	world_run_for(write_in_vain, 1000);
	world_run_for(write_well, 4000);
}

/* Also where it was sent again after another connection was lost, and so by itself. */
static void
silent_reads_that_were_sent_again_are_given_up(void **state)
{
	body *const all[] = { read_in_vain, read_in_vain };

	(void)state;
	assert_true(trl_loop_run_until(world.loop, reads_are_up, NULL, 10000));
	assert_int_equal(silence(world.pg->reads, world.pg->n_reads), 2);
	world_run_many((body **)(uintptr_t)all, TRL_COUNT(all));
	for (size_t i = 0; i < world.pg->n_reads; i++) {
		struct pg_conn *conn = &world.pg->reads[i];

		assert_true(conn->first && conn->first->detached);
		conn->first->solo = true;
		conn->since_us -= 3ULL * PG_STATEMENT_TIMEOUT_MS * 1000;
	}
	world_run_for(read_well, 4000);
}

/* Of an attempt that failed nothing may be left once nobody needs its connection: what
 * is lost later is made again at once, and not when somebody happens to write. */
static void
what_is_lost_long_after_a_failed_attempt_is_made_again(void **state)
{
	(void)state;
	assert_true(trl_loop_run_until(world.loop, reads_are_up, NULL, 10000));
	assert_true(trl_loop_run_until(world.loop, nothing_connects, NULL, 10000));
	world.pg->failures = 1;
	test_db_sql(&world.db,
	    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
	    "where datname = current_database() and usename = 'pgtest_app'");
	world_run_for(read_well, 4000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_silent_read_costs_no_other),
		cmocka_unit_test(
		    what_is_lost_long_after_a_failed_attempt_is_made_again),
		cmocka_unit_test(one_silent_write_costs_no_other),
		cmocka_unit_test(silent_reads_that_were_sent_again_are_given_up),
		cmocka_unit_test(a_server_that_says_nothing_is_away),
	};

	return cmocka_run_group_tests_name("silent", tests, world_open, world_close);
}
