/* test_out_resolve.c - names whose servers never answer, among others that do.
 * getaddrinfo is the rig's: dead0.test to dead31.test keep their thread until they are
 * let go, and have no address then.
 *
 *   test_http_out_resolve test_out_world.py */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_out_rig.h"

/* Of organisation n, to a name; URLs live in the visit's text. */
static void
begin_of(struct visit *visit, uint8_t n, const char *host)
{
	snprintf(visit->url, sizeof visit->url, "http://%s:%u/hello", host, world.http);
	visit->call.url = visit->url;
	visit->tenant.bytes[15] = n;
	begin_call(visit);
}

static bool
is_asked(void *n)
{
	return atomic_load(&world.asked) >= *(unsigned *)n;
}

static void
until_asked(unsigned n)
{
	assert_true(trl_loop_run_until(world.loop, is_asked, &n, 10000));
}

static bool
is_answered(void *n)
{
	return atomic_load(&world.answered) >= *(unsigned *)n;
}

static void
finish(struct visit *visit)
{
	assert_true(trl_loop_run_until(world.loop, is_done, visit, 20000));
	free(TRL_TAKE(visit->body));
}

/* A client that remembers nothing. */
static int
before_each(void **state)
{
	const struct trl_http_out_options any = { .any_address = true };

	atomic_store(&world.asked, 0);
	atomic_store(&world.answered, 0);
	atomic_store(&world.let_go, 0);
	atomic_store(&world.answer_late, false);
	*state = trl_http_out_open(world.loop, &any);
	return *state != NULL ? 0 : -1;
}

static int
after_each(void **state)
{
	trl_http_out *out = *state;
	unsigned n = atomic_load(&world.asked);

	atomic_store(&world.let_go, UINT32_MAX);
	atomic_store(&world.answer_late, true);
	assert_true(trl_loop_run_until(world.loop, is_answered, &n, 10000));
	trl_http_out_close(&out);
	return 0;
}

static void
an_organisations_dead_names_hold_up_nobody_elses(void **state)
{
	struct visit dead[16] = { 0 }, fine[4] = { 0 };
	char host[20];

	for (size_t i = 0; i < TRL_COUNT(dead); i++) {
		snprintf(host, sizeof host, "dead%zu.test", i);
		dead[i].out = *state;
		dead[i].call.timeout_ms = 1000;
		begin_of(&dead[i], 1, host);
	}
	until_asked(1);
	for (size_t i = 0; i < TRL_COUNT(fine); i++) {
		fine[i].out = *state;
		fine[i].call.timeout_ms = 2000;
		begin_of(&fine[i], 2, i % 2 ? "good.test" : "localhost");
		finish(&fine[i]);
		assert_int_equal(fine[i].rc, TRL_OK);
	}
	atomic_store(&world.let_go, UINT32_MAX);
	for (size_t i = 0; i < TRL_COUNT(dead); i++)
		finish(&dead[i]);
}

static void
after_a_turn_the_others_come_first(void **state)
{
	static const struct {
		uint8_t tenant;
		const char *host;
	} wants[] = { { 1, "dead0.test" }, { 2, "dead1.test" }, { 3, "dead2.test" },
		{ 1, "dead3.test" }, { 2, "dead4.test" }, { 3, "dead5.test" } };
	struct visit dead[TRL_COUNT(wants)] = { 0 }, fine = { .out = *state };

	for (size_t i = 0; i < TRL_COUNT(wants); i++) {
		dead[i].out = *state;
		dead[i].actor_ms = 3000;
		begin_of(&dead[i], wants[i].tenant, wants[i].host);
	}
	until_asked(3);
	begin_of(&fine, 4, "good.test");
	assert_true(calls_by_address()); /* it waits for its turn now */
	assert_int_equal(atomic_load(&world.asked), 3);
	atomic_store(&world.let_go, 1u << 0);
	finish(&fine);
	assert_int_equal(fine.rc, TRL_OK);
	atomic_store(&world.let_go, UINT32_MAX);
	for (size_t i = 0; i < TRL_COUNT(dead); i++)
		finish(&dead[i]);
}

static void
a_name_that_was_quick_waits_for_no_dead_ones(void **state)
{
	struct visit dead[6] = { 0 }, fine = { .out = *state };
	char host[20];

	begin_of(&fine, 9, "good.test");
	finish(&fine);
	assert_int_equal(fine.rc, TRL_OK);
	for (uint8_t i = 0; i < TRL_COUNT(dead); i++) {
		snprintf(host, sizeof host, "dead%u.test", i);
		dead[i].out = *state;
		dead[i].actor_ms = 15000;
		begin_of(&dead[i], i, host);
	}
	until_asked(4);
	for (int i = 0; i < 3; i++) {
		begin_of(&fine, 9, "good.test");
		finish(&fine);
		assert_int_equal(fine.rc, TRL_OK);
	}
	assert_int_equal(atomic_load(&world.let_go), 0); /* none of them has ended */
	atomic_store(&world.let_go, UINT32_MAX);
	for (size_t i = 0; i < TRL_COUNT(dead); i++)
		finish(&dead[i]);
}

static void
who_has_no_turn_is_told_busy_and_asks_nobody(void **state)
{
	struct visit dead = { .out = *state, .call = { .timeout_ms = 9000 } };
	struct visit next = { .out = *state };

	begin_of(&dead, 1, "dead0.test");
	until_asked(1);
	begin_of(&next, 1, "dead1.test");
	finish(&next);
	assert_int_equal(next.rc, TRL_BUSY);
	atomic_store(&world.let_go, UINT32_MAX);
	finish(&dead);
	assert_int_equal(dead.rc, TRL_UNAVAILABLE);
	begin_of(&next, 1, "good.test");
	finish(&next);
	assert_int_equal(next.rc, TRL_OK);
	assert_int_equal(atomic_load(&world.asked), 2);
}

static void
one_lookup_serves_all_who_want_its_name_meanwhile(void **state)
{
	struct visit same[8] = { 0 };

	for (size_t i = 0; i < TRL_COUNT(same); i++) {
		same[i].out = *state;
		begin_of(&same[i], (uint8_t)(i % 3), i % 2 ? "LATE.test" : "late.test");
	}
	until_asked(1);
	assert_true(calls_by_address());
	atomic_store(&world.answer_late, true);
	for (size_t i = 0; i < TRL_COUNT(same); i++) {
		finish(&same[i]);
		assert_int_equal(same[i].rc, TRL_OK);
	}
	assert_int_equal(atomic_load(&world.asked), 1);
}

static void
a_name_that_took_long_for_nothing_is_left_alone_for_a_while(void **state)
{
	struct visit dead = { .out = *state, .call = { .timeout_ms = 2500 } };
	uint64_t began;

	begin_of(&dead, 1, "dead0.test");
	finish(&dead);
	assert_int_equal(dead.rc, TRL_DEADLINE);
	atomic_store(&world.let_go, UINT32_MAX);
	begin_of(&dead, 1, "dead0.test"); /* or joins what is about to end */
	finish(&dead);
	began = trl_mono_us();
	begin_of(&dead, 2, "Dead0.test");
	finish(&dead);
	assert_int_equal(dead.rc, TRL_UNAVAILABLE);
	assert_non_null(strstr(dead.why, "ead0.test"));
	assert_in_range(trl_mono_us() - began, 0, 2400000);
	assert_int_equal(atomic_load(&world.asked), 1);
}

static void
a_name_that_fails_at_once_is_asked_for_each_time(void **state)
{
	struct visit visit = { .out = *state };

	for (unsigned i = 1; i <= 3; i++) {
		begin_of(&visit, 1, "nowhere.test");
		finish(&visit);
		assert_int_equal(visit.rc, TRL_UNAVAILABLE);
		assert_int_equal(atomic_load(&world.asked), i);
	}
}

/* As the mail server's name is looked up by a client of its own. */
static void
a_client_of_its_own_has_places_of_its_own(void **state)
{
	struct visit dead[4] = { 0 }, fine = { 0 };
	char host[20];

	for (uint8_t i = 0; i < TRL_COUNT(dead); i++) {
		snprintf(host, sizeof host, "dead%u.test", i);
		dead[i].out = *state;
		dead[i].call.timeout_ms = 1000;
		begin_of(&dead[i], i, host);
	}
	until_asked(3);
	fine.call.timeout_ms = 2000;
	begin_of(&fine, 1, "good.test");
	finish(&fine);
	assert_int_equal(fine.rc, TRL_OK);
	atomic_store(&world.let_go, UINT32_MAX);
	for (size_t i = 0; i < TRL_COUNT(dead); i++)
		finish(&dead[i]);
}

/* libuv has four threads for lookups; here two clients have them all. */
static void
a_lookup_that_no_thread_has_begun_is_taken_back(void **state)
{
	const struct trl_http_out_options any = { .any_address = true };
	TRL_AUTO(trl_http_out_close)
	trl_http_out *other = trl_http_out_open(world.loop, &any);
	struct visit dead[4] = { 0 };
	struct visit fine = { .out = other, .call = { .timeout_ms = 300 } };
	char host[20];

	for (uint8_t i = 0; i < TRL_COUNT(dead); i++) {
		snprintf(host, sizeof host, "dead%u.test", i);
		dead[i].out = i < 3 ? *state : other;
		begin_of(&dead[i], i, host);
	}
	until_asked(4);
	begin_of(&fine, 9, "good.test");
	finish(&fine);
	assert_int_equal(fine.rc, TRL_BUSY);
	atomic_store(&world.let_go, UINT32_MAX);
	for (size_t i = 0; i < TRL_COUNT(dead); i++)
		finish(&dead[i]);
	assert_int_equal(atomic_load(&world.asked), 4);
	begin_of(&fine, 9, "good.test");
	finish(&fine);
	assert_int_equal(fine.rc, TRL_OK);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, before_each, after_each)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		CASE(an_organisations_dead_names_hold_up_nobody_elses),
		CASE(after_a_turn_the_others_come_first),
		CASE(a_name_that_was_quick_waits_for_no_dead_ones),
		CASE(who_has_no_turn_is_told_busy_and_asks_nobody),
		CASE(one_lookup_serves_all_who_want_its_name_meanwhile),
		CASE(a_name_that_took_long_for_nothing_is_left_alone_for_a_while),
		CASE(a_name_that_fails_at_once_is_asked_for_each_time),
		CASE(a_client_of_its_own_has_places_of_its_own),
		CASE(a_lookup_that_no_thread_has_begun_is_taken_back),
	};

	trl_assert(argc == 2);
	world.script = argv[1];
	return cmocka_run_group_tests(tests, open_world, close_world);
}
