/* What becomes of bodies when a connection is lost, or carries nothing more, or a
 * process is killed, at any point: both ends hear of it within a moment, and what
 * comes afterwards goes as before. And a long line is filled. (Over 400 lines: each
 * loss is a story with two ends.) */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "peer.h"
#include "test_body.h"
#include "test_proxy.h"

static struct rig rig;
static struct sample *served;
static struct proxy *proxy;
static pid_t server;

/* A server behind a line. */
static void
open_line(unsigned delay_ms)
{
	char address[80];
	unsigned port = rig_port();
	served = rig_shared();
	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", port);
	server = rig_serve(address, served, 0);
	proxy = proxy_open(port, delay_ms);
	snprintf(address, sizeof address, "tcp://127.0.0.1:%u", proxy_port(proxy));
	rig_open(&rig, "edge", address, NULL);
	rig_await_peers(&rig, 1);
}

enum point {
	UP_BEFORE,  /* the callee waits for the first piece */
	UP_FULL,    /* the caller waits for credit */
	UP_AFTER,   /* all is written, and the callee still reads */
	DOWN_FIRST, /* the caller reads, the callee writes */
	DOWN_FULL,  /* the callee waits for credit */
	POINTS
};

/* Connection 0 is lost, or 1; or the line behind it is dead; or the callee is. */
enum loss { CUT_FIRST, CUT_BULK, KILL, HUSH_FIRST, HUSH_BULK, LOSSES };

struct story {
	enum point point;
	enum loss loss;
	uint64_t took_us;
};

static void
lose(enum loss loss)
{
	unsigned n = proxy_count(proxy);
	MUST(n >= 2);
	switch (loss) {
	case KILL:
		kill(server, SIGKILL);
		return;
	case CUT_FIRST:
	case CUT_BULK:
		proxy_cut(proxy, loss == CUT_FIRST ? 0 : 1);
		return;
	default:
		proxy_hush(proxy, loss == HUSH_FIRST ? 0 : 1);
	}
}

static void
write_until_lost(trl_ctx *ctx, struct story *story)
{
	ProtobufCMessage *reply = NULL;
	bool wanted;
	trl_stream *stream;
	enum trl_code rc;
	MUST(
	    body_open(ctx, rig.bus, SAMPLE_TAKE, "wait", 100, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	MUST(story->point == UP_BEFORE || body_write(ctx, stream, 600000) == TRL_OK);
	if (story->point == UP_AFTER)
		MUST(trl_stream_end(ctx, stream) == TRL_OK);
	lose(story->loss);
	story->took_us = trl_mono_us();
	if (story->point != UP_AFTER) {
		rc = body_write(ctx, stream, 30000000);
		MUST(rc == TRL_UNAVAILABLE);
	}
	rc = trl_stream_reply(ctx, stream, &reply);
	/* The callee may have been told first, and answer that. All that was on its way
	 * may have come before its connection went. */
	MUST(rc == TRL_UNCERTAIN || rc == TRL_UNAVAILABLE ||
	     (story->point == UP_AFTER && rc == TRL_OK));
	trl_stream_close(&stream);
	story->took_us = trl_mono_us() - story->took_us;
}

static void
read_until_lost(trl_ctx *ctx, struct story *story)
{
	struct trl_piece piece;
	trl_stream *stream;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "", 90000000, NULL, &stream) ==
	     TRL_OK);
	body_reply(ctx, stream);
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	if (story->point == DOWN_FULL)
		MUST(trl_sleep(ctx, 200) == TRL_OK); /* it fills what it may */
	lose(story->loss);
	story->took_us = trl_mono_us();
	while (trl_stream_read(ctx, stream, &piece) == TRL_OK)
		MUST(piece.len > 0);
	MUST(ctx->err.code == TRL_UNAVAILABLE);
	trl_err_clear(ctx);
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_UNAVAILABLE);
	trl_stream_close(&stream);
	story->took_us = trl_mono_us() - story->took_us;
}

static void
run_story(trl_ctx *ctx, void *arg)
{
	struct story *story = arg;
	if (story->point < DOWN_FIRST)
		write_until_lost(ctx, story);
	else
		read_until_lost(ctx, story);
}

static void
go_on(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	uint64_t got;
	(void)arg;
	MUST(
	    body_open(ctx, rig.bus, SAMPLE_GIVE, "", 3000000, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(body_read(ctx, stream, &got) == TRL_OK && got == 3000000);
	trl_stream_close(&stream);
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, NULL, &stream) == TRL_OK);
	MUST(body_write(ctx, stream, 3000000) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(strcmp(body_reply(ctx, stream)->service, body_hash(ctx, 3000000)) == 0);
	trl_stream_close(&stream);
}

static bool
has_ended(void *self)
{
	(void)self;
	return served->bodies >= 2; /* the first one was to have both connections */
}

static void
warm_up(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	uint64_t got;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "", 300000, NULL, &stream) == TRL_OK);
	body_reply(ctx, stream);
	MUST(body_read(ctx, stream, &got) == TRL_OK && got == 300000);
	trl_stream_close(&stream);
}

/* Each story in a process of its own. */
static struct story now;

/* What was lost was dialled again: the callee may have told its caller of the loss
 * before the caller saw it itself. */
static bool
is_whole_again(void *self)
{
	bool both = now.loss == CUT_FIRST || now.loss == HUSH_FIRST;
	(void)self;
	return proxy_count(proxy) >= (both ? 4 : 3) &&
	       trl_bus_peers_up(rig.bus, "sample") == 1 &&
	       rig.bus->targets->peers->bulk.by != NULL;
}

static void
tell_one(void)
{
	/* A cut is told at once, a dead line after three ticks: by far before 35 s,
	 * when a body that stands still is ended. */
	const uint64_t most_us = now.loss < HUSH_FIRST ? 10000000 : 15000000;
	open_line(0);
	rig_run(&rig, warm_up, NULL);
	rig_run(&rig, run_story, &now);
	MUST(now.took_us < most_us);
	MUST(body_memory(rig.net) == 0 && trl_bus_waiting(rig.bus) == 0);
	if (now.loss == KILL)
		return;
	MUST(trl_loop_run_until(rig.loop, has_ended, NULL, 10000));
	MUST(now.point == UP_AFTER || served->body_ended == TRL_UNAVAILABLE);
	MUST(trl_loop_run_until(rig.loop, is_whole_again, NULL, 10000));
	rig_run(&rig, go_on, NULL);
}

static void
tell(enum loss loss)
{
	now.loss = loss;
	for (now.point = 0; now.point < POINTS; now.point++) {
		printf("  at point %d\n", now.point);
		rig_test(tell_one);
	}
}

static void
both_ends_hear_of_a_lost_first_connection(void **state)
{
	(void)state;
	tell(CUT_FIRST);
}

static void
both_ends_hear_of_a_lost_bulk_connection(void **state)
{
	(void)state;
	tell(CUT_BULK);
}

static void
a_caller_hears_of_a_killed_callee(void **state)
{
	(void)state;
	tell(KILL);
}

static void
a_dead_line_is_noticed_on_either_connection(void **state)
{
	(void)state;
	now = (struct story){ .point = UP_FULL, .loss = HUSH_FIRST };
	rig_test(tell_one);
	now = (struct story){ .point = DOWN_FIRST, .loss = HUSH_FIRST };
	rig_test(tell_one);
	now = (struct story){ .point = UP_FULL, .loss = HUSH_BULK };
	rig_test(tell_one);
	now = (struct story){ .point = DOWN_FIRST, .loss = HUSH_BULK };
	rig_test(tell_one);
}

static bool
has_begun(void *self)
{
	(void)self;
	return served->runs > 0;
}

/* Its caller has gone when it comes to write. */
static void
open_one_that_is_held(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "held", 100000, NULL, &stream) ==
	     TRL_OK);
	while (!has_begun(NULL))
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	proxy_cut(proxy, 0);
	ProtobufCMessage *reply;
	MUST(trl_stream_reply(ctx, stream, &reply) != TRL_OK);
	trl_stream_close(&stream);
}

static bool
one_has_ended(void *self)
{
	(void)self;
	return served->bodies >= 1;
}

TEST(a_file_for_a_caller_that_has_gone_goes_nowhere)
{
	open_line(0);
	rig_run(&rig, open_one_that_is_held, NULL);
	MUST(trl_loop_run_until(rig.loop, one_has_ended, NULL, 10000));
	MUST(served->body_ended == TRL_UNAVAILABLE);
	rig_await_peers(&rig, 1);
	rig_run(&rig, go_on, NULL);
}

/* The callee has written and ended; its pieces are lost on their way, and only then
 * comes its reply. */
static void
lose_the_pieces_before_the_reply(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	unsigned bodies = served->bodies, runs = served->runs;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "held", 200000, NULL, &stream) ==
	     TRL_OK);
	while (served->runs == runs)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	proxy_hush(proxy, 0);
	proxy_hush(proxy, 1);
	served->go = true;
	while (served->bodies == bodies)
		MUST(trl_sleep(ctx, 5) == TRL_OK);
	MUST(served->body_ended == TRL_OK);
	proxy_cut(proxy, 1);
	while (proxy_count(proxy) < 3 || rig.bus->targets->peers->bulk.by == NULL)
		MUST(trl_sleep(ctx, 5) == TRL_OK); /* lost, and dialled again */
	proxy_go_on(proxy, 0);
	body_reply(ctx, stream);
	uint64_t since = trl_mono_us();
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_UNAVAILABLE);
	MUST(trl_mono_us() - since < 10000000);
	trl_stream_close(&stream);
}

TEST(a_body_that_was_lost_before_its_reply_is_told_with_it)
{
	open_line(0);
	rig_run(&rig, warm_up, NULL);
	rig_run(&rig, lose_the_pieces_before_the_reply, NULL);
	rig_run(&rig, go_on, NULL);
}

static void
wake(void *self)
{
	(void)trl_wake(*(struct trl_ticket *)self);
}

/* While it waits for what it would write. */
static void
watch_until_lost(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_ticket ticket;
	bool wanted;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "", 0, NULL, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	ticket = trl_park_begin(ctx);
	trl_stream_watch(stream, wake, &ticket);
	proxy_cut(proxy, 0);
	MUST(trl_park_for(ctx, ticket, "a loss", 2000) == TRL_OK);
	MUST(body_write(ctx, stream, 1) == TRL_UNAVAILABLE);
	trl_stream_close(&stream);
}

TEST(who_watches_hears_of_a_loss)
{
	open_line(0);
	rig_run(&rig, watch_until_lost, NULL);
}

static void
read_far(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	struct trl_piece piece;
	uint64_t got = 0, since = trl_mono_us();
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "same", 40000000, NULL, &stream) ==
	     TRL_OK);
	body_reply(ctx, stream);
	while (trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0)
		got += piece.len;
	trl_stream_close(&stream);
	double seconds = (double)(trl_mono_us() - since) / 1e6;
	printf("  %.0f MB/s over 50 ms\n", (double)got / 1e6 / seconds);
	/* With what a stream begins with it would be 5 MB/s. */
	MUST(got == 40000000 && seconds < 7);
}

TEST(fills_a_long_line)
{
	open_line(25);
	rig_run(&rig, read_far, NULL);
}

static void
take_longer_than_a_call(trl_ctx *ctx, void *arg)
{
	static const struct trl_stream_terms terms = { .call.timeout_ms = 400 };
	trl_stream *stream;
	(void)arg;
	uint64_t since = trl_mono_us();
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "wait", 50, &terms, &stream) ==
	     TRL_OK);
	MUST(body_write(ctx, stream, 2000000) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(body_reply(ctx, stream)->up_ms == 2000000);
	trl_stream_close(&stream);
	MUST(trl_mono_us() - since > 600000);
}

static bool
has_waited(void *self)
{
	return trl_mono_us() > *(uint64_t *)self;
}

/* Both connections stay, though nothing is said on one for longer than a guest has. */
TEST(takes_its_time_while_pieces_move)
{
	open_line(0);
	rig_run(&rig, take_longer_than_a_call, NULL);
	unsigned before = proxy_count(proxy);
	uint64_t until = trl_mono_us() + 3000000;
	MUST(trl_loop_run_until(rig.loop, has_waited, &until, 5000));
	rig_run(&rig, go_on, NULL);
	MUST(proxy_count(proxy) == before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_hear_of_a_lost_first_connection),
		cmocka_unit_test(both_ends_hear_of_a_lost_bulk_connection),
		cmocka_unit_test(a_caller_hears_of_a_killed_callee),
		cmocka_unit_test(a_dead_line_is_noticed_on_either_connection),
		cmocka_unit_test(who_watches_hears_of_a_loss),
		cmocka_unit_test(a_file_for_a_caller_that_has_gone_goes_nowhere),
		cmocka_unit_test(a_body_that_was_lost_before_its_reply_is_told_with_it),
		cmocka_unit_test(fills_a_long_line),
		cmocka_unit_test(takes_its_time_while_pieces_move),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
