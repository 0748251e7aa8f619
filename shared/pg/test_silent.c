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

static bool reads_are_up(void *arg);

/* What the test before has left silent. */
static void
make_all_anew(void)
{
	for (size_t i = 0; i < world.pg->n_writes; i++)
		if (world.pg->writes[i].state == PG_UP) {
			pg_conn_close(&world.pg->writes[i]);
			pg_conn_is_down(&world.pg->writes[i], "of another test");
		}
	assert_true(trl_loop_run_until(world.loop, reads_are_up, NULL, 10000));
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
	if (!pg_are_up(world.pg))
		return false;
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
	make_all_anew();
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

static bool
is_asked(void *arg)
{
	(void)arg;
	return world.pg->asked && !world.pg->asked->queued;
}

static void
let_time_pass(void)
{
	const uint64_t us = PG_GONE_MS * 1000;

	world.pg->heard_us -= us;
	for (size_t i = 0; i < world.pg->n_reads; i++)
		world.pg->reads[i].since_us -= us;
	for (size_t i = 0; i < world.pg->n_writes; i++)
		world.pg->writes[i].since_us -= us;
	if (world.pg->asked)
		world.pg->asked->queued_us -= us;
}

/* Each is given up too soon for the other to be doubted. */
static void
silence_reads_in_use(void)
{
	make_all_anew();
	assert_int_equal(silence(world.pg->reads, world.pg->n_reads), 2);
	for (size_t i = 0; i < world.pg->n_reads; i++)
		world_run_for(read_in_vain, PG_SILENT_MS / 2);
	for (size_t i = 0; i < world.pg->n_reads; i++)
		assert_non_null(world.pg->reads[i].first);
}

/* What is asked once a second is not answered either. */
static void
reads_in_use_are_given_up_where_nothing_is_answered(void **state)
{
	(void)state;
	silence_reads_in_use();
	assert_true(silence(world.pg->writes, world.pg->n_writes) > 0);
	assert_true(trl_loop_run_until(world.loop, is_asked, NULL, 3000));
	let_time_pass();
	world_run_for(read_well, 4000);
}

static bool
was_heard(void *since_us)
{
	return world.pg->heard_us > *(uint64_t *)since_us;
}

/* They may have something to do that takes long. */
static void
reads_in_use_are_waited_for_where_others_are_answered(void **state)
{
	uint64_t since_us = trl_mono_us();

	(void)state;
	silence_reads_in_use();
	let_time_pass();
	for (int i = 0; i < 2; i++) {
		assert_true(trl_loop_run_until(world.loop, was_heard, &since_us, 5000));
		since_us = world.pg->heard_us;
	}
	for (size_t i = 0; i < world.pg->n_reads; i++) {
		assert_true(world.pg->reads[i].state == PG_UP);
		world.pg->reads[i].since_us -= 3ULL * PG_STATEMENT_TIMEOUT_MS * 1000;
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
		cmocka_unit_test(reads_in_use_are_given_up_where_nothing_is_answered),
		cmocka_unit_test(reads_in_use_are_waited_for_where_others_are_answered),
	};

	return cmocka_run_group_tests_name("silent", tests, world_open, world_close);
}
