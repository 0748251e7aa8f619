/* test_actor.c - actors, parking and waking, and the loop's own waits, one behaviour a
 * test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <trl/actor.h>

enum { PATIENCE_MS = 20000 };

static int
make_loop(void **state)
{
	static const struct trl_loop_options options = { .max_actors = 1000 };

	*state = trl_loop_new(&options);
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

/* What an actor did, and what it waits for. */
struct story {
	struct trl_ticket ticket;
	enum trl_code rc;
	enum trl_code err;
	bool parked, over;
	uint64_t took_us;
};

static void
park_once(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;
	uint64_t start = trl_mono_us();

	story->ticket = trl_park_begin(ctx);
	story->parked = true;
	story->rc = trl_park(ctx, story->ticket, "test");
	story->err = ctx->err.code;
	story->took_us = trl_mono_us() - start;
	story->over = true;
}

static bool
is_parked(void *arg)
{
	return ((struct story *)arg)->parked;
}

static trl_actor *
start(trl_loop *loop, struct story *story, uint32_t timeout_ms)
{
	trl_actor *actor;

	assert_int_equal(trl_spawn_get(loop,
			     &(struct trl_spawn){ .name = "story",
				 .run = park_once,
				 .arg = story,
				 .timeout_ms = timeout_ms },
			     &actor),
	    TRL_OK);
	return actor;
}

static void
a_woken_actor_goes_on(void **state)
{
	struct story story = { 0 };

	start(*state, &story, 0);
	assert_true(trl_loop_run_until(*state, is_parked, &story, PATIENCE_MS));
	assert_false(story.over);
	assert_true(trl_wake(story.ticket));
	settle(*state);
	assert_int_equal(story.rc, TRL_OK);
	assert_int_equal(story.err, TRL_OK);
}

/* Who went on, in order. */
struct queue {
	char text[8];
	size_t len;
};

static void
write_twice(trl_ctx *ctx, void *arg)
{
	struct queue *queue = arg;
	char name = (char)('a' + queue->len % 3);

	queue->text[queue->len++] = name;
	trl_yield(ctx);
	queue->text[queue->len++] = name;
}

static void
who_yields_goes_on_behind_the_others_of_the_turn(void **state)
{
	const struct trl_spawn spawn = { .name = "polite", .run = write_twice };
	struct queue three = { 0 }, one = { 0 };
	struct trl_spawn polite = spawn;

	polite.arg = &three;
	for (int i = 0; i < 3; i++)
		assert_int_equal(trl_spawn(*state, &polite), TRL_OK);
	settle(*state);
	assert_string_equal(three.text, "abcabc");
	polite.arg = &one;
	assert_int_equal(trl_spawn(*state, &polite), TRL_OK);
	settle(*state);
	assert_string_equal(one.text, "aa");
}

static void
a_second_wake_finds_nobody(void **state)
{
	struct story story = { 0 };

	start(*state, &story, 0);
	assert_true(trl_loop_run_until(*state, is_parked, &story, PATIENCE_MS));
	assert_true(trl_wake(story.ticket));
	assert_false(trl_wake(story.ticket));
	settle(*state);
	assert_false(trl_wake(story.ticket));
}

static void
time_ends_a_park_and_the_late_wake_is_harmless(void **state)
{
	struct story story = { 0 }, next = { 0 };

	start(*state, &story, 20);
	settle(*state);
	assert_int_equal(story.rc, TRL_DEADLINE);
	assert_int_equal(story.err, TRL_DEADLINE);
	assert_in_range(story.took_us, 19000, 30000000);
	/* The struct serves another actor now; the old ticket does not wake it. */
	start(*state, &next, 0);
	assert_true(trl_loop_run_until(*state, is_parked, &next, PATIENCE_MS));
	assert_ptr_equal(next.ticket.actor, story.ticket.actor);
	assert_false(trl_wake(story.ticket));
	assert_true(trl_wake(next.ticket));
	settle(*state);
	assert_int_equal(next.rc, TRL_OK);
}

static void
cancelling_ends_a_park_at_once(void **state)
{
	struct story story = { 0 };
	trl_actor *actor = start(*state, &story, 60000);

	assert_true(trl_loop_run_until(*state, is_parked, &story, PATIENCE_MS));
	trl_cancel(actor);
	settle(*state);
	assert_int_equal(story.rc, TRL_DEADLINE);
	assert_in_range(story.took_us, 0, 30000000);
}

static void
cancelling_before_the_start_fails_the_first_park(void **state)
{
	struct story story = { 0 };
	trl_actor *actor = start(*state, &story, 60000);

	trl_cancel(actor);
	settle(*state);
	assert_int_equal(story.rc, TRL_DEADLINE);
}

static void
wake_before_park(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;

	story->ticket = trl_park_begin(ctx);
	assert_true(trl_wake(story->ticket));
	assert_false(trl_wake(story->ticket));
	story->rc = trl_park(ctx, story->ticket, "test");
	story->over = true;
}

static void
an_answer_before_the_park_is_kept(void **state)
{
	struct story story = { .rc = TRL_INTERNAL };

	assert_int_equal(trl_spawn(*state, &(struct trl_spawn){ "early",
					       wake_before_park, &story, 1000 }),
	    TRL_OK);
	settle(*state);
	assert_int_equal(story.rc, TRL_OK);
}

static void
wait_shortly(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;

	story->rc = trl_park_for(ctx, trl_park_begin(ctx), "test", 10);
	story->err = ctx->err.code;
	assert_int_equal(trl_sleep(ctx, 5), TRL_OK); /* the deadline is far */
	story->over = true;
}

static void
a_short_wait_passes_without_an_error(void **state)
{
	struct story story = { 0 };

	assert_int_equal(trl_spawn(*state, &(struct trl_spawn){ "short", wait_shortly,
					       &story, 1000 }),
	    TRL_OK);
	settle(*state);
	assert_true(story.over);
	assert_int_equal(story.rc, TRL_DEADLINE);
	assert_int_equal(story.err, TRL_OK);
}

static void
sleep_too_long(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;
	uint64_t start = trl_mono_us();

	story->rc = trl_sleep(ctx, 60000);
	story->took_us = trl_mono_us() - start;
}

static void
sleeping_stops_at_the_deadline(void **state)
{
	struct story story = { 0 };

	assert_int_equal(trl_spawn(*state, &(struct trl_spawn){ "sleep", sleep_too_long,
					       &story, 20 }),
	    TRL_OK);
	settle(*state);
	assert_int_equal(story.rc, TRL_DEADLINE);
	assert_in_range(story.took_us, 19000, 30000000);
}

static void
extend(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;

	assert_int_equal(trl_sleep(ctx, 60000), TRL_DEADLINE);
	trl_err_clear(ctx);
	trl_set_deadline(ctx, trl_mono_us() + 1000000);
	story->rc = trl_sleep(ctx, 10);
}

static void
a_new_deadline_gives_new_time(void **state)
{
	struct story story = { .rc = TRL_INTERNAL };

	assert_int_equal(
	    trl_spawn(*state, &(struct trl_spawn){ "extend", extend, &story, 10 }),
	    TRL_OK);
	settle(*state);
	assert_int_equal(story.rc, TRL_OK);
}

static void
count(trl_ctx *ctx, void *arg)
{
	(void)ctx;
	++*(unsigned *)arg;
}

static void
a_hundred_thousand_one_after_another(void **state)
{
	unsigned done = 0;

	for (unsigned i = 0; i < 100000; i++) {
		assert_int_equal(
		    trl_spawn(*state, &(struct trl_spawn){ "one", count, &done, 0 }),
		    TRL_OK);
		if (i % 100 == 99)
			settle(*state);
	}
	assert_int_equal(done, 100000);
}

static void
a_thousand_at_once_and_one_more_is_busy(void **state)
{
	static struct story stories[1000];
	struct trl_buf dump = { 0 };
	trl_actor *none;

	for (int i = 0; i < 1000; i++) {
		stories[i] = (struct story){ 0 };
		start(*state, &stories[i], 60000);
	}
	assert_int_equal(
	    trl_spawn_get(*state, &(struct trl_spawn){ "more", count, NULL, 0 }, &none),
	    TRL_BUSY);
	assert_true(trl_loop_run_until(*state, is_parked, &stories[999], PATIENCE_MS));
	assert_int_equal(trl_actors_alive(*state), 1000);
	trl_actors_dump(*state, &dump);
	trl_buf_add(&dump, "", 1);
	assert_non_null(strstr((char *)dump.data, "story age "));
	assert_non_null(strstr((char *)dump.data, "parked on test"));
	trl_buf_fini(&dump);
	for (int i = 0; i < 1000; i++)
		assert_true(trl_wake(stories[i].ticket));
	settle(*state);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(stories[i].rc, TRL_OK);
}

/* As of a database's connections, which other processes move. */
static bool
holds_for_one_look(void *looks)
{
	return ++*(unsigned *)looks == 2;
}

static void
what_was_seen_once_has_been_waited_for(void **state)
{
	unsigned n = 1;

	assert_true(trl_loop_run_until(*state, holds_for_one_look, &n, PATIENCE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_woken_actor_goes_on),
		cmocka_unit_test(who_yields_goes_on_behind_the_others_of_the_turn),
		cmocka_unit_test(a_second_wake_finds_nobody),
		cmocka_unit_test(time_ends_a_park_and_the_late_wake_is_harmless),
		cmocka_unit_test(cancelling_ends_a_park_at_once),
		cmocka_unit_test(cancelling_before_the_start_fails_the_first_park),
		cmocka_unit_test(an_answer_before_the_park_is_kept),
		cmocka_unit_test(a_short_wait_passes_without_an_error),
		cmocka_unit_test(sleeping_stops_at_the_deadline),
		cmocka_unit_test(a_new_deadline_gives_new_time),
		cmocka_unit_test(a_hundred_thousand_one_after_another),
		cmocka_unit_test(a_thousand_at_once_and_one_more_is_busy),
		cmocka_unit_test(what_was_seen_once_has_been_waited_for),
	};

	return cmocka_run_group_tests(tests, make_loop, free_loop);
}
