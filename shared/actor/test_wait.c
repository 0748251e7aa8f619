/* test_wait.c - keys, offloaded work, flush hooks and posts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include <trl/actor.h>

#include "runtime.h"

enum { PATIENCE_MS = 20000 };

static void
looking_for_more_grows_while_it_pays_and_ends_when_it_does_not(void **state)
{
	static const struct {
		uint32_t spin;
		uint64_t waited;
		uint32_t next;
	} rows[] = {
		{ 0, 10, 50 },         /* short, and was slept through */
		{ 50, 90, 100 },       /* a little too short a look */
		{ 150, 199, 200 },     /* up to the most */
		{ 200, 3, 200 },       /* found while looking */
		{ 80, 80, 80 },        /* just so */
		{ 200, 1000000, 100 }, /* long: less, */
		{ 100, 201, 50 },
		{ 50, 1000, 0 }, /* and then none */
		{ 0, 1000000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		    trl_spin_next(rows[i].spin, rows[i].waited), rows[i].next);
}

static int
make_loop(void **state)
{
	*state = trl_loop_new(NULL);
	return 0;
}

static int
free_loop(void **state)
{
	trl_loop *loop = *state;

	trl_loop_free(&loop);
	return 0;
}

static bool
nobody_alive(void *loop)
{
	return trl_actors_alive(loop) == 0;
}

static void
settle(trl_loop *loop)
{
	assert_true(trl_loop_run_until(loop, nobody_alive, loop, PATIENCE_MS));
}

static void
spawn(trl_loop *loop, void (*run)(trl_ctx *ctx, void *arg), void *arg, uint32_t ms)
{
	assert_int_equal(
	    trl_spawn(loop, &(struct trl_spawn){ "test", run, arg, ms }), TRL_OK);
}

static char order[64];

static void
note(const char *what)
{
	strcat(order, what);
}

struct guest {
	const char *name;
	const char *key;
	uint32_t stay_ms;
	enum trl_code rc;
};

static void
visit(trl_ctx *ctx, void *arg)
{
	struct guest *guest = arg;

	assert_false(trl_key_held(ctx));
	guest->rc = trl_key_enter(ctx, guest->key, strlen(guest->key));
	assert_int_equal(trl_key_held(ctx), guest->rc == TRL_OK);
	if (guest->rc != TRL_OK)
		return;
	note(guest->name);
	if (trl_sleep(ctx, guest->stay_ms) == TRL_OK)
		note(guest->name);
	trl_key_leave(ctx, guest->key, strlen(guest->key));
	assert_false(trl_key_held(ctx));
}

static void
one_key_is_entered_in_order_and_others_do_not_wait(void **state)
{
	struct guest guests[] = {
		{ "a", "k", 10, 0 },
		{ "b", "k", 10, 0 },
		{ "c", "k", 10, 0 },
		{ "x", "other", 0, 0 },
	};

	order[0] = '\0';
	for (size_t i = 0; i < TRL_COUNT(guests); i++)
		spawn(*state, visit, &guests[i], 0);
	settle(*state);
	assert_string_equal(order, "axxabbcc");
}

static void
whose_time_is_out_leaves_the_line(void **state)
{
	struct guest guests[] = {
		{ "a", "k", 40, 0 },
		{ "b", "k", 0, 0 },
		{ "c", "k", 0, 0 },
	};

	order[0] = '\0';
	spawn(*state, visit, &guests[0], 0);
	spawn(*state, visit, &guests[1], 10);
	spawn(*state, visit, &guests[2], 0);
	settle(*state);
	assert_string_equal(order, "aacc");
	assert_int_equal(guests[1].rc, TRL_DEADLINE);
}

static void
all_in_line_may_run_out_of_time_in_one_turn(void **state)
{
	struct guest guests[] = {
		{ "a", "k", 20, 0 },
		{ "b", "k", 0, 0 },
		{ "c", "k", 0, 0 },
	};

	order[0] = '\0';
	for (size_t i = 0; i < TRL_COUNT(guests); i++)
		spawn(*state, visit, &guests[i], i ? 20 : 0);
	settle(*state);
	spawn(*state, visit, &guests[0], 0);
	settle(*state);
	assert_int_equal(guests[0].rc, TRL_OK);
}

static void
the_line_of_a_key_is_bounded(void **state)
{
	static struct guest guests[258];
	unsigned busy = 0;

	order[0] = '\0';
	for (int i = 0; i < 258; i++) {
		guests[i] = (struct guest){ "", "k", i ? 0 : 20, 0 };
		spawn(*state, visit, &guests[i], 0);
	}
	settle(*state);
	for (int i = 0; i < 258; i++)
		busy += guests[i].rc == TRL_BUSY;
	assert_int_equal(busy, 1);
}

static struct {
	atomic_uint running, most, done;
} pool;

static void
work(void *arg)
{
	unsigned now = atomic_fetch_add(&pool.running, 1) + 1;
	unsigned most = atomic_load(&pool.most);

	while (now > most && !atomic_compare_exchange_weak(&pool.most, &most, now))
		;
	usleep(*(unsigned *)arg);
	atomic_fetch_sub(&pool.running, 1);
	atomic_fetch_add(&pool.done, 1);
}

struct job {
	struct trl_offload *kind;
	unsigned us;
	enum trl_code rc;
	uint32_t retry_after_ms;
	enum trl_code err;
};

static void
offload(trl_ctx *ctx, void *arg)
{
	struct job *job = arg;

	job->rc = trl_offload(ctx, job->kind, work, &job->us);
	job->retry_after_ms = ctx->err.retry_after_ms;
	job->err = ctx->err.code;
}

static void
a_kind_keeps_to_its_slots_and_is_busy_beyond_its_queue(void **state)
{
	struct trl_offload kind = { "slots", 2, 3, 250, NULL };
	struct job jobs[6];

	memset(&pool, 0, sizeof pool);
	trl_offload_init(*state, &kind);
	for (size_t i = 0; i < TRL_COUNT(jobs); i++) {
		jobs[i] = (struct job){ .kind = &kind, .us = 10000 };
		spawn(*state, offload, &jobs[i], 0);
	}
	settle(*state);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(jobs[i].rc, TRL_OK);
	assert_int_equal(jobs[5].rc, TRL_BUSY);
	assert_int_equal(jobs[5].retry_after_ms, 250);
	assert_int_equal(pool.done, 5);
	assert_in_range(pool.most, 1, 2);
	trl_offload_fini(&kind);
}

static void
a_deadline_in_the_queue_drops_the_work(void **state)
{
	struct trl_offload kind = { "queue", 1, 3, 0, NULL };
	struct job first = { .kind = &kind, .us = 60000 };
	struct job second = { .kind = &kind, .us = 1 },
		   third = { .kind = &kind, .us = 1 };

	memset(&pool, 0, sizeof pool);
	trl_offload_init(*state, &kind);
	spawn(*state, offload, &first, 0);
	spawn(*state, offload, &second, 10);
	spawn(*state, offload, &third, 0);
	settle(*state);
	assert_int_equal(first.rc, TRL_OK);
	assert_int_equal(second.rc, TRL_DEADLINE);
	assert_int_equal(third.rc, TRL_OK);
	assert_int_equal(pool.done, 2);
	trl_offload_fini(&kind);
}

static void
work_that_has_begun_is_waited_for(void **state)
{
	struct trl_offload kind = { "begun", 1, 0, 0, NULL };
	struct job job = { .kind = &kind, .us = 50000 };

	memset(&pool, 0, sizeof pool);
	trl_offload_init(*state, &kind);
	spawn(*state, offload, &job, 10);
	settle(*state);
	assert_int_equal(pool.done, 1);
	assert_int_equal(job.rc, TRL_OK);
	assert_int_equal(job.err, TRL_OK);
	trl_offload_fini(&kind);
}

static void
flush_first(void *self)
{
	if (*(unsigned *)self > 0)
		note("1");
}

static void
flush_second(void *self)
{
	unsigned *n = self;

	if (*n > 0)
		note("2");
	*n = 0;
}

static void
produce(trl_ctx *ctx, void *arg)
{
	(void)ctx;
	note("p");
	++*(unsigned *)arg;
}

static void
hooks_run_once_after_all_ready_actors_in_their_order(void **state)
{
	unsigned produced = 0;

	order[0] = '\0';
	trl_loop_on_flush(*state, flush_first, &produced);
	trl_loop_on_flush(*state, flush_second, &produced);
	for (int i = 0; i < 3; i++)
		spawn(*state, produce, &produced, 0);
	settle(*state);
	trl_loop_off_flush(*state, &produced);
	assert_string_equal(order, "ppp12");
}

struct parcel {
	trl_loop *loop;
	struct trl_ticket ticket;
	enum trl_code rc;
	bool parked, arrived;
};

static void
arrive(void *arg)
{
	struct parcel *parcel = arg;

	parcel->arrived = trl_wake(parcel->ticket);
}

static void
dispatch(void *arg)
{
	struct parcel *parcel = arg;

	trl_loop_post(parcel->loop, arrive, parcel);
}

static void
await(trl_ctx *ctx, void *arg)
{
	struct parcel *parcel = arg;

	parcel->ticket = trl_park_begin(ctx);
	parcel->parked = true;
	parcel->rc = trl_park(ctx, parcel->ticket, "parcel");
}

static bool
is_parked(void *arg)
{
	return ((struct parcel *)arg)->parked;
}

static void
another_thread_reaches_the_loop_by_a_post(void **state)
{
	struct parcel parcel = { .loop = *state };
	uv_thread_t thread;

	spawn(*state, await, &parcel, 0);
	assert_true(trl_loop_run_until(*state, is_parked, &parcel, PATIENCE_MS));
	assert_int_equal(uv_thread_create(&thread, dispatch, &parcel), 0);
	settle(*state);
	uv_thread_join(&thread);
	assert_true(parcel.arrived);
	assert_int_equal(parcel.rc, TRL_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_key_is_entered_in_order_and_others_do_not_wait),
		cmocka_unit_test(whose_time_is_out_leaves_the_line),
		cmocka_unit_test(all_in_line_may_run_out_of_time_in_one_turn),
		cmocka_unit_test(
		    looking_for_more_grows_while_it_pays_and_ends_when_it_does_not),
		cmocka_unit_test(the_line_of_a_key_is_bounded),
		cmocka_unit_test(
		    a_kind_keeps_to_its_slots_and_is_busy_beyond_its_queue),
		cmocka_unit_test(a_deadline_in_the_queue_drops_the_work),
		cmocka_unit_test(work_that_has_begun_is_waited_for),
		cmocka_unit_test(hooks_run_once_after_all_ready_actors_in_their_order),
		cmocka_unit_test(another_thread_reaches_the_loop_by_a_post),
	};

	return cmocka_run_group_tests(tests, make_loop, free_loop);
}
