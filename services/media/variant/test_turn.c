/* test_turn.c - whose turn it is to have a picture rendered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "picture/picture.h"
#include "variant/turn.h"

enum { PATIENCE_MS = 10000, MANY = 200 };

static struct {
	trl_loop *loop;
	turns *turns;
	bool held;      /* who has a turn keeps it */
	char order[64]; /* who had one */
	size_t had, ended;
	unsigned now, most;
} rig;

struct coming {
	char tenant;
	uint32_t timeout_ms;
	enum trl_code rc;
	uint32_t retry_after_ms;
};

static bool
may_go(void *arg)
{
	(void)arg;
	return !rig.held;
}

static void
come(trl_ctx *ctx, void *arg)
{
	struct coming *me = arg;
	trl_child *child;

	memset(&ctx->tenant, me->tenant, sizeof ctx->tenant);
	me->rc = turns_take(ctx, rig.turns, &child);
	me->retry_after_ms = ctx->err.retry_after_ms;
	if (me->rc == TRL_OK) {
		if (rig.had < sizeof rig.order - 1)
			rig.order[rig.had] = me->tenant;
		rig.had++;
		if (++rig.now > rig.most)
			rig.most = rig.now;
		while (!may_go(NULL))
			assert_int_equal(trl_sleep(ctx, 1), TRL_OK);
		rig.now--;
		turns_leave(rig.turns, child);
	}
	rig.ended++;
}

static void
spawn(struct coming *me)
{
	const struct trl_spawn spec = { .name = "come",
		.run = come,
		.arg = me,
		.timeout_ms = me->timeout_ms ? me->timeout_ms : PATIENCE_MS };

	assert_int_equal(trl_spawn(rig.loop, &spec), TRL_OK);
}

static bool
have_ended(void *n)
{
	return rig.ended >= *(size_t *)n;
}

static void
run_until_ended(size_t n)
{
	assert_true(trl_loop_run_until(rig.loop, have_ended, &n, PATIENCE_MS));
}

static bool
one_has_it(void *unused)
{
	(void)unused;
	return rig.had > 0;
}

static int
open_rig(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof rig);
	rig.loop = trl_loop_new(NULL);
	rig.turns = turns_open(rig.loop, 1);
	rig.held = true;
	return 0;
}

static int
close_rig(void **state)
{
	(void)state;
	turns_close(&rig.turns);
	trl_loop_free(&rig.loop);
	return 0;
}

static void
organisations_take_turns(void **state)
{
	static const char tenants[] = "aaaaaabbc";
	struct coming coming[sizeof tenants - 1] = { { 0 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(coming); i++) {
		coming[i].tenant = tenants[i];
		spawn(&coming[i]);
	}
	assert_true(trl_loop_run_until(rig.loop, one_has_it, NULL, PATIENCE_MS));
	rig.held = false;
	run_until_ended(TRL_COUNT(coming));
	assert_string_equal(rig.order, "aabcabaaa");
	assert_int_equal(rig.most, 1);
}

/* One organisation's crowd is bounded, and another's comes through. */
static void
a_crowd_is_told_to_come_again(void **state)
{
	static struct coming crowd[MANY], other;
	size_t fine = 0;

	(void)state;
	memset(crowd, 0, sizeof crowd);
	for (size_t i = 0; i < MANY; i++) {
		crowd[i].tenant = 'a';
		spawn(&crowd[i]);
	}
	other = (struct coming){ .tenant = 'b' };
	spawn(&other);
	run_until_ended(MANY - TURN_OF_TENANT_MAX - 1);
	rig.held = false;
	run_until_ended(MANY + 1);
	for (size_t i = 0; i < MANY; i++) {
		fine += crowd[i].rc == TRL_OK;
		if (crowd[i].rc != TRL_OK) {
			assert_int_equal(crowd[i].rc, TRL_BUSY);
			assert_int_equal(crowd[i].retry_after_ms, TURN_RETRY_AFTER_MS);
		}
	}
	assert_int_equal(fine, TURN_OF_TENANT_MAX + 1);
	assert_int_equal(other.rc, TRL_OK);
	assert_int_equal(rig.order[2], 'b');
}

static int pids[3];
static size_t n_pids;

/* The process that answers, with whatever it says of a file that is none. */
static void
ask_as(trl_ctx *ctx, void *arg)
{
	const struct picture_request asked = { .task = PICTURE_LOOK };
	const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct trl_buf reply = { 0 };
	trl_child *child;

	memset(&ctx->tenant, *(char *)arg, sizeof ctx->tenant);
	assert_int_equal(turns_take(ctx, rig.turns, &child), TRL_OK);
	assert_int_equal(
	    trl_child_ask_file(ctx, child, &asked, sizeof asked, nothing, &reply),
	    TRL_OK);
	pids[n_pids++] = trl_child_pid(child);
	turns_leave(rig.turns, child);
	trl_buf_fini(&reply);
	close(nothing);
	rig.ended++;
}

static void
no_two_organisations_meet_in_one_process(void **state)
{
	static char tenants[] = "aab";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct trl_spawn spec = { .name = "ask",
			.run = ask_as,
			.arg = &tenants[i],
			.timeout_ms = PATIENCE_MS };

		assert_int_equal(trl_spawn(rig.loop, &spec), TRL_OK);
		run_until_ended(i + 1);
	}
	assert_true(pids[0] > 0);
	assert_int_equal(pids[1], pids[0]);
	assert_int_not_equal(pids[2], pids[0]);
}

static void
one_that_waits_no_more_is_passed_over(void **state)
{
	struct coming first = { .tenant = 'a' },
		      late = { .tenant = 'b', .timeout_ms = 20 },
		      last = { .tenant = 'c' };

	(void)state;
	spawn(&first);
	spawn(&late);
	spawn(&last);
	run_until_ended(1);
	assert_int_equal(late.rc, TRL_DEADLINE);
	rig.held = false;
	run_until_ended(3);
	assert_string_equal(rig.order, "ac");
}

/* Three turns of some 30 ms, and one of 300. */
static void
the_usual_time_of_a_turn_is_the_middle_one(void **state)
{
	static const uint64_t took_ms[] = { 30, 300, 30, 30 };
	struct coming coming[TRL_COUNT(took_ms)] = { { 0 } };

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(took_ms); i++) {
		const uint64_t until_us = trl_mono_us() + took_ms[i] * 1000;
		const size_t had = rig.had;

		assert_true((turns_apart_us(rig.turns) != 0) == (i >= TURN_SEEN_LEAST));
		rig.held = true;
		spawn(&coming[i]);
		while (rig.had == had || trl_mono_us() < until_us)
			(void)trl_loop_run_until(rig.loop, may_go, NULL, 1);
		rig.held = false;
		run_until_ended(i + 1);
	}
	assert_in_range(turns_apart_us(rig.turns), 30000, 299999);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(organisations_take_turns),
		RIGGED(a_crowd_is_told_to_come_again),
		RIGGED(one_that_waits_no_more_is_passed_over),
		RIGGED(the_usual_time_of_a_turn_is_the_middle_one),
		RIGGED(no_two_organisations_meet_in_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
