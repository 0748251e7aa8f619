/* test_crowd.c - more that want pictures at once than can have them. */
#include "variant/test_pictures.h"

/* Keeps the only renderer until told. */
static struct holding {
	bool has_it, end, ended;
} holding;

static void
hold(trl_ctx *ctx, void *arg)
{
	struct holding *me = arg;
	struct media *self = world.self;
	trl_child *child;

	assert_int_equal(turns_take(ctx, self->variants->turns, &child), TRL_OK);
	me->has_it = true;
	while (!me->end)
		assert_int_equal(trl_sleep(ctx, 1), TRL_OK);
	turns_leave(self->variants->turns, child);
	me->ended = true;
}

static bool
is_held(void *unused)
{
	(void)unused;
	return holding.has_it;
}

static bool
is_let_go(void *unused)
{
	(void)unused;
	return holding.ended;
}

static void
hold_it(void)
{
	const struct trl_spawn spawn = {
		.name = "hold", .run = hold, .arg = &holding, .timeout_ms = 60000
	};

	holding = (struct holding){ 0 };
	assert_int_equal(trl_spawn(world.loop, &spawn), TRL_OK);
	world_until(is_held, NULL);
}

/* Of 120 that come while nothing is rendered 40, and one more, want the same. Links
 * ask for only so many sizes of each. */
enum {
	MANY = 120,
	SAME = 40,
	REFUSED = MANY - (SAME + TURN_OF_TENANT_MAX),
	PICTURES = 3
};

/* Or more: on a slow machine some that wait are told, too, to come again. */
static bool
are_refused(void *arg)
{
	const struct world_run *runs = arg;
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++)
		n += runs[i].done;
	return n >= REFUSED;
}

static bool
is_being_made(void *media)
{
	return ((struct media *)media)->variants->first != NULL;
}

static bool
nothing_is_made(void *unused)
{
	(void)unused;
	return variants_idle(((struct media *)world.self)->variants);
}

static void
a_flood_is_bounded_and_each_is_made_once(void **state)
{
	static struct world_run runs[MANY], *all[MANY];
	static Media__V1__GetSignedRequest in[MANY];
	static char urls[MANY][512];
	size_t fine = 0;
	struct trl_id ids[PICTURES];

	(void)state;
	for (size_t i = 0; i < PICTURES; i++)
		ids[i] = picture();
	for (size_t i = 0; i < MANY; i++) {
		char options[16];

		snprintf(options, sizeof options, "w_%zu",
		    i < SAME ? 60 : (i - SAME) / PICTURES + 1);
		assert_int_equal(
		    link_to(ids[i < SAME ? 0 : i % PICTURES], options, urls[i]),
		    TRL_OK);
		in[i] = signed_request(urls[i]);
	}
	hold_it();
	for (size_t i = 0; i < MANY; i++) {
		runs[i] = (struct world_run){ .method = &media_v1_get_signed,
			.in = &in[i].base };
		all[i] = &runs[i];
		world_start(&runs[i]);
		if (i == 0) /* so it is not one that the crowd keeps out */
			world_until(is_being_made, world.self);
	}
	world_until(are_refused, runs);
	assert_non_null(file_now(ids[0]));
	holding.end = true;
	world_wait(all, MANY);
	/* On a machine that is slow some of those that were not refused are told to
	 * come again, and what they wished for is made all the same; then one that came
	 * late may take the place of another. */
	for (size_t i = 0; i < MANY; i++) {
		fine += runs[i].rc == TRL_OK;
		if (runs[i].rc != TRL_OK) {
			assert_int_equal(runs[i].rc, TRL_BUSY);
			assert_true(runs[i].err.retry_after_ms >= TURN_RETRY_AFTER_MS);
		}
		trl_buf_fini(&runs[i].given);
	}
	assert_in_range(fine, 1, MANY - REFUSED);
	world_until(nothing_is_made, NULL);
	assert_in_range(
	    files_rows("rendition"), TURN_OF_TENANT_MAX, MANY); /* each once */
}

enum { CROWD = 20, SLOW_MS = 600, CROWD_MS = 5000 };

static bool
some_were_told(void *arg)
{
	const struct world_run *runs = arg;
	size_t n = 0;

	for (size_t i = 0; i < CROWD; i++)
		n += runs[i].done;
	return n >= CROWD - CROWD_MS / SLOW_MS;
}

static bool
all_are_made(void *unused)
{
	(void)unused;
	return files_rows("rendition") == CROWD && nothing_is_made(NULL);
}

static bool
is_over(void *until_us)
{
	return trl_mono_us() >= *(uint64_t *)until_us;
}

/* So many turns are known to take so long. */
static void
take_slow_turns(void)
{
	for (int i = 0; i < TURN_SEEN; i++) {
		uint64_t until_us;

		hold_it();
		until_us = trl_mono_us() + SLOW_MS * 1000;
		world_until(is_over, &until_us);
		holding.end = true;
		world_until(is_let_go, NULL);
	}
}

/* Not after all their time: of what takes 600 ms each the 20th is not made in 5 s. */
static void
whoever_has_no_turn_in_time_is_told_at_once(void **state)
{
	static struct world_run runs[CROWD], *all[CROWD];
	static Media__V1__GetSignedRequest in[CROWD];
	static char urls[CROWD][512];
	const struct trl_id id = picture();
	uint64_t began_us;
	size_t told = 0;

	(void)state;
	for (size_t i = 0; i < CROWD; i++) {
		char options[16];

		snprintf(options, sizeof options, "w_%zu", i + 1);
		assert_int_equal(link_to(id, options, urls[i]), TRL_OK);
		in[i] = signed_request(urls[i]);
	}
	take_slow_turns();
	hold_it();
	began_us = trl_mono_us();
	for (size_t i = 0; i < CROWD; i++) {
		runs[i] = (struct world_run){ .who = { .timeout_ms = CROWD_MS },
			.method = &media_v1_get_signed,
			.in = &in[i].base };
		all[i] = &runs[i];
		world_start(&runs[i]);
	}
	world_until(some_were_told, runs);
	assert_true(trl_mono_us() - began_us < (CROWD_MS - 1000) * 1000);
	holding.end = true;
	world_wait(all, CROWD);
	for (size_t i = 0; i < CROWD; i++) {
		told += runs[i].rc == TRL_BUSY;
		assert_true(runs[i].rc == TRL_OK || runs[i].rc == TRL_BUSY);
		if (runs[i].rc == TRL_BUSY)
			assert_in_range(
			    runs[i].err.retry_after_ms, TURN_RETRY_AFTER_MS, 60000);
		trl_buf_fini(&runs[i].given);
	}
	assert_in_range(told, CROWD - CROWD_MS / SLOW_MS, CROWD);
	world_until(all_are_made, NULL);
}

static bool
is_made(void *unused)
{
	(void)unused;
	return files_rows("rendition") == 1 && nothing_is_made(NULL);
}

static void
who_asked_may_leave_and_it_is_made_all_the_same(void **state)
{
	const struct trl_id id = picture();
	struct world_caller who = as(ann, TRL_MEMBER);
	Media__V1__GetVariantRequest in = MEDIA__V1__GET_VARIANT_REQUEST__INIT;

	(void)state;
	hold_it();
	who.timeout_ms = 1000;
	trl_set(&in, file_id, world_bytes(&id));
	in.variant = (char *)(uintptr_t) "thumb";
	in.verb = (char *)(uintptr_t) "GET";
	assert_int_equal(
	    world_call(&who, &media_v1_get_variant, &in.base, &answer), TRL_BUSY);
	assert_int_not_equal(world.err.retry_after_ms, 0);
	assert_int_equal(files_rows("rendition"), 0);
	holding.end = true;
	world_until(is_made, NULL);
	assert_true(holding.ended);
}

#define T(test) cmocka_unit_test_setup_teardown(test, files_found, world_forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_is_bounded_and_each_is_made_once),
		T(whoever_has_no_turn_in_time_is_told_at_once),
		T(who_asked_may_leave_and_it_is_made_all_the_same),
	};

	const int failed = cmocka_run_group_tests(tests, open_world, world_close);

	trl_buf_fini(&png);
	return failed;
}
