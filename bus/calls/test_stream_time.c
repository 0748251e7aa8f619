/* How long a body may take: no longer than the method's time until it goes on, and then
 * as long as it does. Who waits has the time that a body may stand still from when it
 * begins to wait; whose reader is slow waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/mman.h>

#include <trl/log.h>

#include "bus.h"
#include "test_body.h"

static struct rig rig;
static struct sample *served;

/* The method's time, the body's, and longer than either. */
enum { CALL_MS = 400, IDLE_MS = 500, LONG_MS = 1100 };
static const struct trl_stream_terms terms = { .call.timeout_ms = CALL_MS };

static void
begin(uint32_t idle_ms)
{
	rig_idle_ms = idle_ms;
	served = rig_shared();
	rig_open(&rig, "edge", rig_tcp(), served);
	rig_await_peers(&rig, 1);
}

static void
read_slowly(trl_ctx *ctx, void *arg)
{
	enum { LEN = 3000000 };
	trl_stream *stream;
	struct trl_piece piece;
	uint64_t got = 0;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "same", LEN, &terms, &stream) ==
	     TRL_OK);
	body_reply(ctx, stream);
	for (unsigned i = 0; got < LEN; i++) {
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
		got += piece.len;
		if (i < 3)
			MUST(trl_sleep(ctx, LONG_MS) == TRL_OK);
	}
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len == 0);
	trl_stream_close(&stream);
}

TEST(a_writer_waits_for_a_slow_reader)
{
	begin(IDLE_MS);
	rig_run(&rig, read_slowly, NULL);
	MUST(served->body_ended == TRL_OK);
}

static void
let_go(trl_ctx *ctx, void *arg)
{
	(void)arg;
	MUST(trl_sleep(ctx, 50) == TRL_OK);
	served->go = true;
}

static void
read_late(trl_ctx *ctx, void *arg)
{
	enum { LEN = 600000 };
	trl_stream *stream;
	struct trl_piece piece;
	uint64_t got = 0, rest;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_GIVE, "halves", LEN, &terms, &stream) ==
	     TRL_OK);
	body_reply(ctx, stream);
	while (got < LEN / 2) {
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
		got += piece.len;
	}
	MUST(trl_sleep(ctx, LONG_MS) == TRL_OK);
	rig_start(&rig, let_go, NULL);
	MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	for (rest = piece.len; got + rest < LEN; rest += piece.len)
		MUST(trl_stream_read(ctx, stream, &piece) == TRL_OK && piece.len > 0);
	trl_stream_close(&stream);
}

TEST(who_comes_late_to_read_has_time_from_then_on)
{
	begin(IDLE_MS);
	rig_run(&rig, read_late, NULL);
}

/* As a client that was asked for its body, and is slow to begin. */
static void
begin_late(trl_ctx *ctx, void *arg)
{
	trl_stream *stream;
	bool wanted;
	(void)arg;
	MUST(
	    body_open(ctx, rig.bus, SAMPLE_TAKE, "hash", 0, &terms, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	MUST(trl_sleep(ctx, LONG_MS) == TRL_OK);
	MUST(body_write(ctx, stream, 1000) == TRL_OK);
	MUST(trl_stream_end(ctx, stream) == TRL_OK);
	MUST(body_reply(ctx, stream)->up_ms == 1000);
	trl_stream_close(&stream);
}

static void
begin_never(trl_ctx *ctx, void *arg)
{
	uint64_t since = trl_mono_us();
	ProtobufCMessage *reply;
	trl_stream *stream;
	bool wanted;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "", 0, &terms, &stream) == TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	enum trl_code rc = trl_stream_reply(ctx, stream, &reply);
	MUST(rc == TRL_UNCERTAIN || rc == TRL_DEADLINE);
	trl_stream_close(&stream);
	MUST(trl_mono_us() - since >= rig_idle_ms * 1000ull);
}

TEST(a_body_may_begin_as_late_as_it_may_stand_still)
{
	begin(2 * LONG_MS);
	rig_run(&rig, begin_late, NULL);
	rig_run(&rig, begin_never, NULL);
	MUST(served->body_ended == TRL_DEADLINE);
}

static int file; /* the log */

static bool
has_logged(const char *words)
{
	char text[8192];
	ssize_t len = pread(file, text, sizeof text - 1, 0);
	MUST(len >= 0);
	text[len] = '\0';
	return strstr(text, words) != NULL;
}

/* Whoever is called is late with what it does with the body. */
static void
be_late(trl_ctx *ctx, void *arg)
{
	ProtobufCMessage *reply;
	trl_stream *stream;
	bool wanted;
	(void)arg;
	MUST(body_open(ctx, rig.bus, SAMPLE_TAKE, "wait", 60000, &terms, &stream) ==
	     TRL_OK);
	MUST(trl_stream_wanted(ctx, stream, &wanted) == TRL_OK && wanted);
	MUST(body_write(ctx, stream, 1000) == TRL_OK);
	MUST(trl_stream_reply(ctx, stream, &reply) != TRL_OK);
	trl_stream_close(&stream);
	while (!has_logged("out of time during sleep"))
		MUST(trl_sleep(ctx, 5) == TRL_OK);
}

/* A client that stops sending is no failure of whoever reads what it sends. */
TEST(a_caller_that_sends_nothing_makes_no_line_in_the_log)
{
	file = memfd_create("log", MFD_CLOEXEC);
	MUST(file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
	trl_log_init("test", TRL_LOG_WARN); /* of a pipe it has its own */
	begin(IDLE_MS);
	rig_run(&rig, begin_never, NULL);
	rig_run(&rig, be_late, NULL); /* so the one before has ended, too */
	MUST(served->bodies == 2 && served->body_ended == TRL_DEADLINE);
	MUST(has_logged("\"severity_text\":\"WARN\""));
	MUST(!has_logged("out of time during a body"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_waits_for_a_slow_reader),
		cmocka_unit_test(who_comes_late_to_read_has_time_from_then_on),
		cmocka_unit_test(a_body_may_begin_as_late_as_it_may_stand_still),
		cmocka_unit_test(a_caller_that_sends_nothing_makes_no_line_in_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
