/* Against the test server, and against servers of our own that are stopped, frozen
 * and started again. (Over 400 lines: a few lines each of many ways a server fails.) */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <trl/redis.h>

#include "client.h"

static struct trl_redis_script add_script = { .name = "add",
	.text = "return redis.call('INCRBY', KEYS[1], ARGV[1])" };
static struct trl_redis_script *const scripts[] = { &add_script, NULL };

struct world {
	trl_loop *loop;
	trl_redis *redis;
	pid_t server;
	char path[96], url[128], key[64];
	void (*story)(struct world *world, trl_ctx *ctx);
	bool over;
};

static bool
is_ready(void *self)
{
	return trl_redis_ready(((struct world *)self)->redis);
}

static bool
is_unready(void *self)
{
	return !is_ready(self);
}

static bool
is_over(void *self)
{
	return ((struct world *)self)->over;
}

static void
run(trl_ctx *ctx, void *arg)
{
	struct world *world = arg;

	world->story(world, ctx);
	world->over = true;
}

static void
tell(struct world *world, void (*story)(struct world *world, trl_ctx *ctx))
{
	const struct trl_spawn spawn = { .name = "test", .run = run, .arg = world };

	world->story = story;
	world->over = false;
	assert_int_equal(trl_spawn(world->loop, &spawn), TRL_OK);
	assert_true(trl_loop_run_until(world->loop, is_over, world, 10000));
}

static void
start_server(struct world *world)
{
	world->server = fork();
	if (world->server == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
		    world->path, "--save", "", "--appendonly", "no", (char *)NULL);
		_exit(127);
	}
}

static void
stop_server(struct world *world)
{
	if (world->server <= 0)
		return;
	kill(world->server, SIGKILL);
	waitpid(world->server, NULL, 0);
	world->server = 0;
}

static int
setup_with(void **state, bool own)
{
	struct world *world = calloc(1, sizeof *world);
	const char *url = getenv("TRELLIS_TEST_REDIS_URL");

	if (!url)
		fail_msg("TRELLIS_TEST_REDIS_URL should name a Redis for tests "
			 "(tools/test sets it).");
	world->loop = trl_loop_new(NULL);
	snprintf(
	    world->path, sizeof world->path, "/tmp/trl-test-redis-%d", (int)getpid());
	snprintf(world->key, sizeof world->key, "trl-test-redis-%d", (int)getpid());
	if (own) {
		snprintf(world->url, sizeof world->url, "unix:%s?db=3", world->path);
		start_server(world);
		url = world->url;
	}
	world->redis = trl_redis_open(world->loop, url, scripts);
	assert_non_null(world->redis);
	assert_true(trl_loop_run_until(world->loop, is_ready, world, 10000));
	*state = world;
	return 0;
}

static int
setup(void **state)
{
	return setup_with(state, false);
}

static int
setup_own(void **state)
{
	return setup_with(state, true);
}

static int
teardown(void **state)
{
	struct world *world = *state;

	trl_redis_close(&world->redis);
	trl_loop_free(&world->loop);
	stop_server(world);
	(void)unlink(world->path);
	free(world);
	return 0;
}

static void
pipeline_story(struct world *world, trl_ctx *ctx)
{
	const struct trl_redis_command commands[] = {
		TRL_REDIS(
		    "SET", TRL_REDIS_TEXT(world->key), TRL_REDIS_BYTES("a\0b", 3)),
		TRL_REDIS("GET", TRL_REDIS_TEXT(world->key)),
		TRL_REDIS("INCR", TRL_REDIS_TEXT(world->key)),
		TRL_REDIS("DEL", TRL_REDIS_TEXT(world->key)),
		TRL_REDIS("GET", TRL_REDIS_TEXT(world->key)),
		TRL_REDIS(
		    "MGET", TRL_REDIS_TEXT(world->key), TRL_REDIS_TEXT(world->key)),
	};
	struct trl_redis_reply replies[6];

	assert_int_equal(
	    trl_redis_run(ctx, world->redis, commands, 6, replies), TRL_OK);
	assert_int_equal(replies[0].type, TRL_REDIS_DATA);
	assert_string_equal(replies[0].data, "OK");
	assert_int_equal(replies[1].len, 3);
	assert_memory_equal(replies[1].data, "a\0b", 4);
	assert_int_equal(replies[2].type, TRL_REDIS_ERROR);
	assert_int_equal(replies[3].num, 1);
	assert_int_equal(replies[4].type, TRL_REDIS_NIL);
	assert_int_equal(replies[5].n_items, 2);
	assert_int_equal(replies[5].items[1].type, TRL_REDIS_NIL);
}

static void
commands_travel_together_and_are_answered_in_order(void **state)
{
	tell(*state, pipeline_story);
}

static void
script_story(struct world *world, trl_ctx *ctx)
{
	const struct trl_redis_command commands[] = {
		TRL_REDIS_SCRIPT(
		    &add_script, 1, TRL_REDIS_TEXT(world->key), TRL_REDIS_TEXT("2")),
		TRL_REDIS_SCRIPT(
		    &add_script, 1, TRL_REDIS_TEXT(world->key), TRL_REDIS_TEXT("3")),
	};
	const struct trl_redis_command flush[] = { TRL_REDIS("SCRIPT",
						       TRL_REDIS_TEXT("FLUSH")),
		TRL_REDIS("DEL", TRL_REDIS_TEXT(world->key)) };
	struct trl_redis_reply replies[2];

	assert_int_equal(strlen(add_script.sha1), 40);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(trl_redis_run(ctx, world->redis, flush + (i == 0),
				     2u - (i == 0), replies),
		    TRL_OK);
		assert_int_equal(
		    trl_redis_run(ctx, world->redis, commands, 2, replies), TRL_OK);
		assert_int_equal(replies[0].num, 2);
		assert_int_equal(replies[1].num, 5);
	}
	assert_int_equal(
	    trl_redis_run(ctx, world->redis, flush + 1, 1, replies), TRL_OK);
}

static void
scripts_run_also_after_redis_forgot_them(void **state)
{
	tell(*state, script_story);
}

static enum trl_code
ping(struct world *world, trl_ctx *ctx, uint64_t *us)
{
	const struct trl_redis_command command = TRL_REDIS("ECHO", TRL_REDIS_TEXT("x"));
	struct trl_redis_reply reply;
	uint64_t before = trl_mono_us();
	enum trl_code rc = trl_redis_run(ctx, world->redis, &command, 1, &reply);

	*us = trl_mono_us() - before;
	if (rc == TRL_OK)
		assert_string_equal(reply.data, "x");
	assert_int_equal(ctx->err.code, TRL_OK);
	return rc;
}

static void
fine_story(struct world *world, trl_ctx *ctx)
{
	uint64_t us;

	assert_int_equal(ping(world, ctx, &us), TRL_OK);
}

/* Not after its time, of 200 ms; a machine that has others to serve may take as long,
 * but not each time. */
static void
told_at_once(struct world *world, trl_ctx *ctx)
{
	uint64_t us = UINT64_MAX;

	for (int i = 0; i < 20 && us > 190000; i++)
		assert_int_equal(ping(world, ctx, &us), TRL_UNAVAILABLE);
	assert_in_range(us, 0, 190000);
}

static void
gone_story(struct world *world, trl_ctx *ctx)
{
	told_at_once(world, ctx);
}

static void
a_server_that_is_gone_is_told_at_once_and_found_again(void **state)
{
	struct world *world = *state;

	tell(world, fine_story);
	stop_server(world);
	tell(world, gone_story);
	assert_true(trl_loop_run_until(world->loop, is_unready, world, 10000));
	start_server(world);
	assert_true(trl_loop_run_until(world->loop, is_ready, world, 10000));
	tell(world, fine_story);
	tell(world, script_story);
}

static void
frozen_story(struct world *world, trl_ctx *ctx)
{
	uint64_t us;

	assert_int_equal(ping(world, ctx, &us), TRL_UNAVAILABLE);
	assert_in_range(us, 200000, 5000000);
	/* From now on it costs nobody anything. */
	told_at_once(world, ctx);
}

static void
a_server_that_stands_still_costs_250_ms_once(void **state)
{
	struct world *world = *state;

	kill(world->server, SIGSTOP);
	tell(world, frozen_story);
	kill(world->server, SIGCONT);
	assert_true(trl_loop_run_until(world->loop, is_ready, world, 10000));
	tell(world, fine_story);
}

static void
become_replica_story(struct world *world, trl_ctx *ctx)
{
	const struct trl_redis_command command =
	    TRL_REDIS("REPLICAOF", TRL_REDIS_TEXT("127.0.0.1"), TRL_REDIS_TEXT("1"));
	const struct trl_redis_command add = TRL_REDIS_SCRIPT(
	    &add_script, 1, TRL_REDIS_TEXT(world->key), TRL_REDIS_TEXT("2"));
	struct trl_redis_reply reply;

	assert_int_equal(trl_redis_run(ctx, world->redis, &command, 1, &reply), TRL_OK);
	assert_int_equal(
	    trl_redis_run(ctx, world->redis, &add, 1, &reply), TRL_UNAVAILABLE);
	assert_false(trl_redis_ready(world->redis));
}

static void
become_primary_story(struct world *world, trl_ctx *ctx)
{
	const struct trl_redis_command command =
	    TRL_REDIS("REPLICAOF", TRL_REDIS_TEXT("NO"), TRL_REDIS_TEXT("ONE"));
	struct trl_redis_reply reply;

	assert_int_equal(trl_redis_run(ctx, world->redis, &command, 1, &reply), TRL_OK);
}

static void
a_server_that_became_a_replica_is_left(void **state)
{
	struct world *world = *state;

	tell(world, become_replica_story);
	assert_true(trl_loop_run_until(world->loop, is_ready, world, 10000));
	tell(world, become_primary_story);
	tell(world, script_story);
}

static void
late_story(struct world *world, trl_ctx *ctx)
{
	const struct trl_redis_command commands[] = {
		TRL_REDIS("ECHO", TRL_REDIS_TEXT("early")),
		TRL_REDIS("BLPOP", TRL_REDIS_TEXT("nothing"), TRL_REDIS_TEXT("0.4")),
		TRL_REDIS_SCRIPT(
		    &add_script, 1, TRL_REDIS_TEXT(world->key), TRL_REDIS_TEXT("2")),
	};
	struct trl_redis_reply *replies = malloc(3 * sizeof *replies);
	uint64_t us;

	assert_int_equal(
	    trl_redis_run(ctx, world->redis, commands, 3, replies), TRL_UNAVAILABLE);
	free(replies); /* what comes now must touch nothing */
	assert_true(trl_redis_ready(world->redis));
	assert_int_equal(trl_sleep(ctx, 300), TRL_OK);
	assert_int_equal(ping(world, ctx, &us), TRL_OK);
}

static void
answers_that_come_too_late_are_dropped(void **state)
{
	tell(*state, late_story);
}

/* In place of the C library's: its numbers are the same in every process. */
static unsigned drawn_alike;

long
random(void)
{
	drawn_alike++;
	return 0;
}

static bool
has_tried_again(void *self)
{
	return ((trl_redis *)self)->backoff_ms >= 4 * TRL_REDIS_BACKOFF_MIN_MS;
}

static void
replicas_that_lose_it_together_do_not_come_back_together(void **state)
{
	trl_loop *loop = trl_loop_new(NULL);
	trl_redis *redis = trl_redis_open(loop, "unix:/tmp/trl-test-no-redis", NULL);

	(void)state;
	assert_non_null(redis);
	assert_true(trl_loop_run_until(loop, has_tried_again, redis, 10000));
	assert_int_equal(drawn_alike, 0);
	trl_redis_close(&redis);
	trl_loop_free(&loop);
}

static void
urls_that_are_none_are_refused(void **state)
{
	static const char *const urls[] = { "", "http://a", "redis://", "redis://a:x",
		"redis://a/b", "redis://a:70000", "redis://p@a", "unix:rel",
		"unix:/a?db=x", "redis://[::1" };
	trl_loop *loop = trl_loop_new(NULL);

	(void)state;
	for (size_t i = 0; i < TRL_COUNT(urls); i++)
		assert_null(trl_redis_open(loop, urls[i], NULL));
	trl_loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    commands_travel_together_and_are_answered_in_order, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    scripts_run_also_after_redis_forgot_them, setup_own, teardown),
		cmocka_unit_test_setup_teardown(
		    a_server_that_is_gone_is_told_at_once_and_found_again, setup_own,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_server_that_stands_still_costs_250_ms_once, setup_own, teardown),
		cmocka_unit_test_setup_teardown(
		    a_server_that_became_a_replica_is_left, setup_own, teardown),
		cmocka_unit_test_setup_teardown(
		    answers_that_come_too_late_are_dropped, setup_own, teardown),
		cmocka_unit_test(
		    replicas_that_lose_it_together_do_not_come_back_together),
		cmocka_unit_test(urls_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
